"""`ops-atomic notify`: try the notices out, and send those that wait."""

from __future__ import annotations

import socket
import sys

import click

from exporter.cli.flags import FAILURE, chosen_root, root_option
from exporter.notify import delivery, outbox
from exporter.reporting.screen import Screen
from ingest.text.numbers import count


@click.command("notify")
@root_option
@click.option("--test", is_flag=True, help="Send a test message to every service.")
def notify_command(root: str | None, test: bool) -> None:
    """Send the notices that wait in the outbox.

    Who is told stands in OPS_ATOMIC_NOTIFY: Apprise URLs, parted by blanks or
    commas. Exit code 1 when a service did not take its message.
    """
    screen = Screen()
    if not delivery.is_configured():
        raise click.UsageError(
            f"{delivery.VARIABLE} is not set: set it to the Apprise URLs of those who "
            "are to be told"
        )
    if test:
        sys.exit(0 if _send_test(screen) else FAILURE)
    where = chosen_root(root)
    waiting = len(outbox.waiting(where))
    with screen.progress("Sending notices"):
        failures = delivery.deliver(where)
    for failure in failures:
        screen.fail(failure)
    left = len(outbox.waiting(where))
    screen.note(f"{count(waiting - left, 'notice')} sent, {left:,} waiting")
    sys.exit(FAILURE if failures or left else 0)


def _send_test(screen: Screen) -> bool:
    """Whether every service took a message; says so for each."""
    title = f"ops-atomic on {socket.gethostname()}: test"
    text = "This is a test. Notices of the nightly export will arrive like this one."
    services = delivery.find_services()
    with screen.progress("Sending a test message"):
        failures = delivery.send_all(
            (service, delivery.Message("info", title, text)) for service in services
        )
    for service in services:
        failure = failures[service.tag]
        if failure:
            screen.fail(f"{service.name} {failure}")
        else:
            screen.note(f"{service.name} took the test message", "✓", "green")
    return not any(failures.values())
