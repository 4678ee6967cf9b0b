"""Loads a pool by the official Python SDK: URL SESSION CLASS… → seconds and number of objects."""

import sys
import time

import XenAPI

url, handle, *classes = sys.argv[1:]
session = XenAPI.Session(url, ignore_ssl=True)
session.handle = handle
session._session = handle
start = time.perf_counter()
batch = session.xenapi.event_from(classes, "", 0.0)
objects = {event["ref"]: event["snapshot"] for event in batch["events"]}
print(time.perf_counter() - start, len(objects))
