"""Drives a pool with the official Python SDK, as its users do, and fails on the first surprise.

usage: sdk.py URL USER PASSWORD
URL: http://…, https://… (a self-signed certificate is accepted), or unix:PATH
"""

import sys

import XenAPI
from XenAPI import XenAPI as sdk

WAIT = 10.0  # seconds; how long one event.from may wait


def connect(url):
    if url.startswith("unix:"):
        # The SDK spells the slashes of the socket's path as underscores.
        host = url.removeprefix("unix:").replace("/", "_")
        return XenAPI.Session(f"http://{host}/", transport=sdk.UDSTransport())
    return XenAPI.Session(url, ignore_ssl=url.startswith("https:"))


def refuses(code, call, *args):
    try:
        result = call(*args)
    except XenAPI.Failure as failure:
        assert failure.details[0] == code, f"expected {code}, got {failure.details}"
        return failure.details
    raise AssertionError(f"expected {code}, got {result!r}")


def halted_vms(session):
    vms = session.xenapi.VM.get_all_records()
    assert vms, "no VMs"
    plain = lambda vm: not (vm["is_a_template"] or vm["is_a_snapshot"] or vm["is_control_domain"])
    halted = [ref for ref, vm in vms.items() if plain(vm) and vm["power_state"] == "Halted"]
    bootable = [ref for ref in halted if session.xenapi.VM.get_possible_hosts(ref)]
    assert len(bootable) >= 2, f"{len(bootable)} of {len(halted)} halted VMs can start; two are needed"
    return bootable[:2]


def follow(session, classes, token, done):
    """Takes events from `token` on until `done` says so of one, and answers all events and the last token."""
    events = []
    for _ in range(20):
        batch = session.xenapi.event_from(classes, token, WAIT)
        token = batch["token"]
        assert isinstance(batch["valid_ref_counts"], dict)
        events += batch["events"]
        if any(done(event) for event in events):
            return events, token
    raise AssertionError(f"not among {len(events)} events of {classes}")


def wait_for(session, task):
    over = lambda event: event["ref"] == task and event["snapshot"]["status"] != "pending"
    follow(session, [f"task/{task}"], "", over)
    record = session.xenapi.task.get_record(task)
    assert record["status"] == "success", record["error_info"]
    assert record["progress"] == 1.0, record["progress"]
    session.xenapi.task.destroy(task)


def main(url, user, password):
    session = connect(url)
    if not url.startswith("unix:"):
        details = refuses("SESSION_AUTHENTICATION_FAILED", session.xenapi.login_with_password, user, "not " + password)
        assert details[1] == user, details
    session.xenapi.login_with_password(user, password, "2.21", "xenoxide tests")

    one, two = halted_vms(session)
    batch = session.xenapi.event_from(["vm"], "", WAIT)
    assert {event["operation"] for event in batch["events"]} == {"add"}
    assert len(batch["events"]) == len(session.xenapi.VM.get_all())
    token = batch["token"]

    session.xenapi.VM.start(one, False, False)
    assert session.xenapi.VM.get_power_state(one) == "Running"
    task = session.xenapi.Async.VM.start(two, False, False)
    assert session.xenapi.task.get_name_label(task) == "Async.VM.start"
    wait_for(session, task)

    runs = lambda event: event["ref"] == two and event["snapshot"]["power_state"] == "Running"
    events, token = follow(session, ["vm"], token, runs)
    assert {event["class"] for event in events} == {"vm"}
    assert {one, two} <= {event["ref"] for event in events}

    host = session.xenapi.VM.get_resident_on(one)
    assert one in session.xenapi.host.get_resident_VMs(host)
    details = refuses("VM_BAD_POWER_STATE", session.xenapi.VM.start, one, False, False)
    assert details[1:] == [one, "halted", "running"], details
    refuses("MESSAGE_METHOD_UNKNOWN", session.xenapi.VM.levitate, one)
    refuses("MESSAGE_PARAMETER_COUNT_MISMATCH", session.xenapi.VM.start, one)
    refuses("HANDLE_INVALID", session.xenapi.VM.get_record, "OpaqueRef:none")

    session.xenapi.VM.clean_shutdown(one)
    wait_for(session, session.xenapi.Async.VM.hard_shutdown(two))
    assert session.xenapi.VM.get_power_state(one) == session.xenapi.VM.get_power_state(two) == "Halted"

    # xapi keeps the text and the order of a map; the SDK's users rely on what they wrote.
    session.xenapi.VM.set_name_label(one, """a<b & "c' \u00fc\u4e2d""")
    assert session.xenapi.VM.get_name_label(one) == """a<b & "c' \u00fc\u4e2d"""
    session.xenapi.VM.add_to_other_config(one, "key", "value")
    refuses("MAP_DUPLICATE_KEY", session.xenapi.VM.add_to_other_config, one, "key", "value")
    session.xenapi.VM.remove_from_other_config(one, "key")
    assert session.API_version.count(".") == 1

    used = session.handle
    session.xenapi.session.logout()
    answer = session.VM.get_all(used)
    assert answer["ErrorDescription"] == ["SESSION_INVALID", used], answer
    print("ok")


if __name__ == "__main__":
    main(*sys.argv[1:])
