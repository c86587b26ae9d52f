from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.notify import delivery, outbox
from exporter.notify.delivery import Message, deliver, find_services, send_all
from exporter.notify.outbox import Notice
from ingest.root import Root
from tests.receivers import HttpReceiver, http_receiver, smtp_receiver

SECRET = "s3cr3tpath"


@pytest.fixture
def root(empty_root: Path) -> Root:
    return Root(empty_root)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpReceiver]:
    """A service that is configured and answers."""
    with http_receiver() as found:
        monkeypatch.setenv(
            "OPS_ATOMIC_NOTIFY", f"json://127.0.0.1:{found.port}/{SECRET}"
        )
        yield found


def notice(number: int = 0, level: str = "failure") -> Notice:
    return Notice(f"2025-10-28T02:30:{number:02}Z", level, f"title {number}", "text")


@pytest.mark.parametrize(
    ("written", "count"),
    [
        ("", 0),
        (" , ", 0),
        ("json://a", 1),
        ("json://a json://b", 2),
        ("json://a,json://b", 2),
        ("json://a,\n  xml://b , form://c,", 3),
        ("json://a json://a", 1),
        # A comma may belong to a URL.
        ("mailto://u:p@a.b?to=x@a.b,y@a.b", 1),
    ],
)
def test_urls_are_parted_by_blanks_and_commas(written: str, count: int) -> None:
    environ = {"OPS_ATOMIC_NOTIFY": written}
    assert len(find_services(environ)) == count
    assert delivery.is_configured(environ) == bool(count)


def test_services_are_told_apart_without_their_urls() -> None:
    urls = f"json://h/{SECRET} discord://1234567890/{SECRET} nonsense"
    services = find_services({"OPS_ATOMIC_NOTIFY": urls})
    assert [s.name for s in services] == [
        "service 1 (JSON)",
        "service 2 (Discord)",
        "service 3",
    ]
    assert len({s.tag for s in services}) == 3
    assert services[2].send(Message("info", "t", "b")) == "not a URL that Apprise knows"


def test_a_message_arrives(receiver: HttpReceiver) -> None:
    (service,) = find_services()
    assert send_all([(service, Message("warning", "a title", "a\ntext"))]) == {
        service.tag: None
    }
    (taken,) = receiver.messages
    assert (taken["title"], taken["message"]) == ("a title", "a\ntext")
    assert taken["type"] == "warning"


def test_a_refusal_is_told_by_its_status(receiver: HttpReceiver) -> None:
    receiver.status = 403
    (service,) = find_services()
    assert service.send(Message("info", "t", "b")) == "answered with 403"


def test_an_unreachable_service_is_told_without_its_url(
    capfd: pytest.CaptureFixture[str],
) -> None:
    (service,) = find_services({"OPS_ATOMIC_NOTIFY": f"json://127.0.0.1:1/{SECRET}"})
    said = service.send(Message("info", "t", "b"))
    assert said == "cannot be reached, or did not take it"
    assert SECRET not in "".join(capfd.readouterr())


def test_a_service_that_hangs_is_left(receiver: HttpReceiver) -> None:
    receiver.hold.set()
    (service,) = find_services()
    told = send_all([(service, Message("info", "t", "b"))], timeout_s=0.2)
    assert told == {service.tag: "did not answer within 0.2 seconds"}


def test_a_plugin_that_breaks_breaks_nothing_else(
    receiver: HttpReceiver, capfd: pytest.CaptureFixture[str]
) -> None:
    class Broken:
        def notify(self, **kwargs: object) -> None:
            raise RuntimeError(f"cannot open json://host/{SECRET}")

    (good,) = find_services()
    broken = delivery.Service("broken", "0000", Broken())
    told = send_all(
        [(broken, Message("info", "t", "b")), (good, Message("info", "t", "b"))]
    )
    assert told == {"0000": "failed in an unforeseen way", good.tag: None}
    assert SECRET not in "".join(capfd.readouterr())


def test_a_mail_arrives() -> None:
    with smtp_receiver() as (port, taken):
        url = f"mailto://127.0.0.1:{port}?mode=insecure&from=a@b.test&to=c@d.test"
        (service,) = find_services({"OPS_ATOMIC_NOTIFY": url})
        assert (
            service.send(Message("failure", "a title", "first <line>\nsecond")) is None
        )
        ((subject, text),) = taken()
    assert subject == "a title"
    assert "first" in text
    assert "second" in text


def test_long_texts_are_split_for_the_service(receiver: HttpReceiver) -> None:
    (service,) = find_services()
    service.sender[0].body_maxlen = 500
    lines = [f"- error number {number}" for number in range(100)]
    assert service.send(Message("failure", "many errors", "\n".join(lines))) is None
    assert len(receiver.messages) > 1
    together = "\n".join(message["message"] for message in receiver.messages)
    assert all(line in together for line in lines)


def test_the_overflow_that_a_url_asks_for_is_kept() -> None:
    environ = {"OPS_ATOMIC_NOTIFY": "json://h?overflow=truncate json://i"}
    modes = [s.sender[0].overflow_mode.value for s in find_services(environ)]
    assert modes == ["truncate", "split"]


def test_with_nothing_waiting_nothing_is_sent(
    root: Root, receiver: HttpReceiver
) -> None:
    assert deliver(root) == []
    assert receiver.requests == []


def test_what_waits_goes_out_as_one_message(root: Root, receiver: HttpReceiver) -> None:
    for number, level in enumerate(("success", "warning", "success")):
        outbox.put(root, notice(number, level))
    assert deliver(root, notice(9, "success")) == []
    (message,) = receiver.messages
    assert message["type"] == "warning"
    assert message["title"] == "title 9 (and 3 before)"
    assert [f"title {n}" in message["message"] for n in (0, 1, 2, 9)] == [True] * 4
    assert outbox.waiting(root) == []


def test_a_notice_waits_for_those_who_did_not_take_it(
    root: Root, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_receiver(status=500) as other:
        urls = f"json://127.0.0.1:{receiver.port} json://127.0.0.1:{other.port}"
        monkeypatch.setenv("OPS_ATOMIC_NOTIFY", urls)
        outbox.put(root, notice())
        assert deliver(root) == ["service 2 (JSON) answered with 500"]
        other.status = 200
        assert deliver(root) == []
        assert len(receiver.requests) == 1
        assert len(other.requests) == 2
    assert outbox.waiting(root) == []


def test_no_secret_lies_in_the_outbox(root: Root, receiver: HttpReceiver) -> None:
    receiver.status = 500
    outbox.put(root, notice())
    deliver(root)
    texts = [path.read_text() for path in outbox.folder(root).glob("notice_*")]
    assert texts
    assert not any(SECRET in text for text in texts)


def test_without_services_notices_wait(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPS_ATOMIC_NOTIFY", raising=False)
    outbox.put(root, notice())
    assert deliver(root) == []
    assert len(outbox.waiting(root)) == 1


def test_another_process_at_it_is_left_alone(
    root: Root, receiver: HttpReceiver
) -> None:
    outbox.put(root, notice())
    with outbox.alone(root):
        assert deliver(root) == []
    assert receiver.requests == []
