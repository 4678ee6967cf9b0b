"""Uses every public helper of the official Python SDK against a pool whose hosts have their own addresses.

usage: helpers.py MASTER MEMBER SOCKET USER PASSWORD
MASTER, MEMBER: https://… of the master and of another host; their certificates are not checked. SOCKET: the path of the Unix socket.
"""

import base64
import ssl
import sys
import urllib.request

import XenAPI
from XenAPI import XenAPI as sdk
from sdk import refuses, wait_for

UNCHECKED = ssl._create_unverified_context()


def fault(url, user, password, text):
    """Lets something go wrong."""
    request = urllib.request.Request(url + "/xenoxide/faults", data=text.encode(), method="POST")
    secret = base64.b64encode(f"{user}:{password}".encode()).decode()
    request.add_header("Authorization", "Basic " + secret)
    with urllib.request.urlopen(request, context=UNCHECKED) as answer:
        assert answer.status == 200


def logs_in_in_every_way(url, user, password):
    for params in [(user, password), (user, password, "1.0"), (user, password, "2.21", "helpers")]:
        session = XenAPI.Session(url, ignore_ssl=True)
        session.login_with_password(*params)
        handle = session.handle
        assert handle.startswith("OpaqueRef:"), handle
        assert session.xenapi.session.get_this_user(handle) == "OpaqueRef:NULL"
        assert session.xenapi.session.get_originator(handle) == (params[3] if len(params) == 4 else "")
        session.logout()
        assert session.handle is None
    session = XenAPI.Session(url, ignore_ssl=True)
    details = refuses("SESSION_AUTHENTICATION_FAILED", session.login_with_password, user, "wrong")
    assert len(details) == 3, details
    # Without a login the SDK sends no session but nothing, which is no text.
    refuses("INTERNAL_ERROR", session.xenapi.VM.get_all)


def fails_as_documented(session):
    try:
        session.xenapi.VM.get_record("OpaqueRef:none")
    except XenAPI.Failure as failure:
        assert failure.details == ["HANDLE_INVALID", "VM", "OpaqueRef:none"], failure.details
        assert failure._details_map() == {"0": "HANDLE_INVALID", "1": "VM", "2": "OpaqueRef:none"}
        assert "HANDLE_INVALID" in str(failure)
    else:
        raise AssertionError("no failure")


def follows_members_to_the_master(master, member, user, password):
    session = XenAPI.Session(member, ignore_ssl=True)
    details = refuses("HOST_IS_SLAVE", session.xenapi.login_with_password, user, password)
    port = master.rpartition(":")[2]
    assert f"https://{details[1]}:{port}" == master, (details, master)
    # On its own, a member does only what needs no master.
    session.slave_local_login_with_password(user, password)
    assert session.handle.startswith("OpaqueRef:")
    session.logout()


def waits_for_events(session):
    session.xenapi.event.register(["pool", "task"])
    task = session.xenapi.task.create("helpers", "waits for itself")
    seen = []
    while not any(event["ref"] == task for event in seen):
        seen += session.xenapi.event.next()
    assert {event["class"] for event in seen} <= {"pool", "task"}
    session.xenapi.event.unregister(["pool", "task"])
    session.xenapi.task.set_status(task, "success")
    session.xenapi.task.destroy(task)
    pool = session.xenapi.pool.get_all()[0]
    token = session.xenapi.event.inject("pool", pool)
    batch = session.xenapi.event_from(["pool"], token, 10.0)
    assert [event["ref"] for event in batch["events"]] == [pool], batch


def survives_a_lost_session(session, url, user, password):
    before = session.handle
    fault(url, user, password, "session-loss")
    # The SDK logs in again by itself.
    assert session.xenapi.VM.get_all()
    assert session.handle != before


def talks_on_the_socket(path):
    # The SDK knows one path only, that of a host.
    connect = sdk.UDSHTTPConnection.connect

    def elsewhere(self):
        assert self.host == "_var_lib_xcp_xapi", self.host
        self.host = path.replace("/", "_")
        connect(self)

    sdk.UDSHTTPConnection.connect = elsewhere
    session = XenAPI.xapi_local()
    session.xenapi.login_with_password("root", "")
    assert session.xenapi.VM.get_all()
    session.xenapi.session.logout()
    sdk.UDSHTTPConnection.connect = connect


def main(master, member, path, user, password):
    logs_in_in_every_way(master, user, password)
    follows_members_to_the_master(master, member, user, password)
    session = XenAPI.Session(master, ignore_ssl=True)
    session.xenapi.login_with_password(user, password, "2.21", "helpers")
    assert session.API_version.count(".") == 1
    assert repr(session.xenapi) == "<XenAPI._Dispatcher>"
    fails_as_documented(session)
    waits_for_events(session)
    survives_a_lost_session(session, master, user, password)
    host = session.xenapi.host.get_all()[-1]
    wait_for(session, session.xenapi.Async.host.disable(host))
    wait_for(session, session.xenapi.Async.host.enable(host))
    talks_on_the_socket(path)
    session.xenapi.session.logout()
    print("ok")


if __name__ == "__main__":
    main(*sys.argv[1:])
