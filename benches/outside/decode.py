"""Reads FOLDER/reply.xml and FOLDER/reply.json as Python's own libraries do; prints `name<TAB>xml|json<TAB>nanoseconds` lines."""
import json
import pathlib
import statistics
import sys
import time
import xmlrpc.client

folder = pathlib.Path(sys.argv[1])
xml = (folder / "reply.xml").read_bytes()
text = (folder / "reply.json").read_bytes()


def measure(name, kind, read):
    times = []
    for _ in range(3):
        start = time.perf_counter_ns()
        read()
        times.append(time.perf_counter_ns() - start)
    print(name, kind, int(statistics.median(times)), sep="\t")


assert xmlrpc.client.loads(xml)[0][0]["Status"] == "Success"
measure("xmlrpc.client", "xml", lambda: xmlrpc.client.loads(xml))
measure("json", "json", lambda: json.loads(text))
