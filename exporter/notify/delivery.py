"""Sends messages to the services behind the Apprise URLs in OPS_ATOMIC_NOTIFY.

The URLs are secrets. A service is shown by its place in the variable and the
name of its kind; what a library says of a failure is shown as far as it is an
HTTP status, because the rest may hold any part of a URL.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from exporter.notify import outbox
from exporter.notify.outbox import Notice
from ingest.root import Root

VARIABLE = "OPS_ATOMIC_NOTIFY"
# All services together: with the dead-man's switch well within the 30 seconds
# that launchd leaves a job that it stops.
TIMEOUT_S = 15
# Whitespace parts URLs, and so does a comma that another URL follows: others
# may belong to a URL.
BETWEEN = re.compile(r",?\s+|,(?=[a-z][a-z0-9+.-]*://)", re.IGNORECASE)
STATUS = re.compile(r"error=(\d{3})\b")


class Message(NamedTuple):
    """What is sent; `attachment` goes along where it exists and files are taken."""

    level: str
    title: str
    text: str
    attachment: Path | None = None


@dataclass(frozen=True)
class Service:
    """Someone to tell. `tag` tells it from others without giving its URL away."""

    name: str
    tag: str
    sender: Any
    takes_files: bool = False

    def send(self, message: Message) -> str | None:
        """Send a message and wait for it. Why it did not arrive, or None."""
        if self.sender is None:
            return "not a URL that Apprise knows"
        notify = partial(
            self.sender.notify,
            body=message.text,
            title=message.title,
            notify_type=message.level,
            body_format="text",
        )
        file = message.attachment
        if file and file.is_file() and self.takes_files and notify(attach=str(file)):
            return None
        # Without its file, where that was too large or of a kind that is not taken.
        answer = notify()
        if answer:
            return None
        said = " ".join(str(entry.message) for entry in answer.logs())
        if status := STATUS.search(said):
            return f"answered with {status[1]}"
        return "cannot be reached, or did not take it"


def is_configured(environ: Mapping[str, str] = os.environ) -> bool:
    return bool(_urls(environ))


def find_services(environ: Mapping[str, str] = os.environ) -> list[Service]:
    """The services that are to be told, in the order of their URLs."""
    urls = _urls(environ)
    if not urls:
        return []
    # Here, because it takes longer than a run with nothing to tell.
    from apprise import Apprise, AppriseAsset, OverflowMode

    asset = AppriseAsset(
        app_id="ops-atomic",
        async_mode=False,
        # Nothing of a service is kept on disk.
        storage_mode="memory",
        # Its own limit needs threads that outlive us; ours are below.
        service_timeout=0,
    )
    services = []
    for number, url in enumerate(urls, start=1):
        plugin = Apprise.instantiate(url, asset=asset)
        # Sixteen bits: enough to tell a few services apart, far too few to
        # try passwords on.
        tag = hashlib.sha256(url.encode()).hexdigest()[:4]
        if plugin is None:
            services.append(Service(f"service {number}", tag, None))
            continue
        if "overflow=" not in url:
            plugin.overflow_mode = OverflowMode.SPLIT
        sender = Apprise(asset=asset)
        sender.add(plugin)
        kind = str(plugin.service_name)
        name = f"service {number} ({kind})"
        services.append(Service(name, tag, sender, bool(plugin.attachment_support)))
    return services


def send_all(
    messages: Iterable[tuple[Service, Message]], timeout_s: float = TIMEOUT_S
) -> dict[str, str | None]:
    """Send to all services at once, within a time limit.

    Returns by tag why a message did not arrive, None where it did.
    """
    failures: dict[str, str | None] = {}
    asked = []
    for service, message in messages:
        send = partial(service.send, message)
        asked.append((service, _start(send, service.tag, failures)))
    deadline = time.monotonic() + timeout_s
    for _, thread in asked:
        thread.join(max(deadline - time.monotonic(), 0))
    told = dict(failures)
    for service, _ in asked:
        told.setdefault(service.tag, f"did not answer within {timeout_s:g} seconds")
    return told


def deliver(root: Root, unkept: Notice | None = None) -> list[str]:
    """Send what waits in the outbox, as one message to each service.

    `unkept` is a notice that could not be put there. Returns a line per
    service that did not take its message; what it is owed waits on.
    """
    with outbox.alone(root) as is_alone:
        if not is_alone:
            return []
        waiting = outbox.waiting(root)
        if not (waiting or unkept):
            return []
        services = find_services()
        messages = []
        for service in services:
            owed = [n for _, n in waiting if service.tag not in n.taken_by]
            owed += [unkept] if unkept else []
            if owed:
                messages.append((service, _digest(root, owed)))
        failures = send_all(messages)
        reached = {tag for tag, failure in failures.items() if failure is None}
        if services:
            for path, notice in waiting:
                outbox.flush(path, notice, reached, {s.tag for s in services})
    return [
        f"{service.name} {failures[service.tag]}"
        for service in services
        if failures.get(service.tag)
    ]


def _urls(environ: Mapping[str, str]) -> list[str]:
    found = BETWEEN.split(environ.get(VARIABLE, ""))
    urls = (url.strip(" ,\t\r\n") for url in found)
    return list(dict.fromkeys(url for url in urls if url))


def _start(
    send: Callable[[], str | None], tag: str, failures: dict[str, str | None]
) -> threading.Thread:
    def run() -> None:
        try:
            failures[tag] = send()
        except Exception:  # noqa: BLE001 - of a plugin; its words may hold the URL
            failures[tag] = "failed in an unforeseen way"

    # A daemon, so that a service that hangs does not keep the process.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def _digest(root: Root, notices: list[Notice]) -> Message:
    """Several notices as one message."""
    files = [root.path / n.attachment for n in notices if n.attachment]
    attachment = files[-1] if files else None
    if len(notices) == 1:
        (only,) = notices
        return Message(only.level, only.title, only.text, attachment)
    level = next(
        level
        for level in ("failure", "warning", "success")
        if level in {notice.level for notice in notices} or level == "success"
    )
    text = "\n\n".join(f"{n.at}  {n.title}\n{n.text}" for n in notices)
    title = f"{notices[-1].title} (and {len(notices) - 1} before)"
    return Message(level, title, text, attachment)
