"""monitor.toml: what is wrong in it is said in one line, with file and key."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from monitor.section import BadSetting
from monitor.settings import (
    TEMPLATE,
    NoSettings,
    parse_settings,
    read_settings,
    settings_path,
    write_template,
)

FILE = Path("settings/monitor.toml")


def test_the_template_is_read_and_names_every_check(tmp_path: Path) -> None:
    path = write_template(tmp_path)
    assert path == settings_path(tmp_path)
    settings = read_settings(tmp_path)
    assert settings.interval_s == 300
    assert settings.format == "markdown"
    assert settings.redis
    assert settings.redis.password_env == "OPS_ATOMIC_REDIS_PASSWORD"
    assert settings.database
    assert [check.name for check in settings.endpoints] == ["API Health"]
    assert [check.name for check in settings.services] == [
        "com.02luka.optimizer",
        "com.02luka.digest",
    ]


def test_what_is_commented_out_in_the_template_can_be_switched_on() -> None:
    lines = TEMPLATE.read_text(encoding="utf-8").splitlines()
    first = lines.index("# [[disk]]")
    text = "\n".join(line.removeprefix("# ") for line in lines[first:])
    settings = parse_settings(text, FILE)
    assert settings.disks[0].free_percent == 10
    assert settings.files[0].max_age_s == 93_600
    assert settings.commands[0].command[0] == "/usr/local/bin/restic"
    optional = [line.removeprefix("# ") for line in lines[:first] if " = " in line]
    for line in optional:
        if line.startswith(("password_file", "keychain", "tls")):
            parse_settings(f"[redis]\n{line}", FILE)
    fields = "\n".join(line for line in optional if line.startswith("json_"))
    endpoint = f"[[endpoint]]\nname = 'a'\nurl = 'http://a'\n{fields}"
    assert parse_settings(endpoint, FILE).endpoints[0].json_value == "ok"


def test_the_template_is_never_written_over_settings(tmp_path: Path) -> None:
    path = write_template(tmp_path)
    path.write_text("interval_s = 60\n")
    with pytest.raises(FileExistsError):
        write_template(tmp_path)
    assert path.read_text() == "interval_s = 60\n"


def test_a_full_disk_leaves_no_half_of_the_template(tmp_path: Path) -> None:
    full = mock.Mock(read_text=mock.Mock(side_effect=OSError(28, "No space left")))
    with (
        mock.patch("monitor.settings.TEMPLATE", full),
        pytest.raises(OSError, match="No space"),
    ):
        write_template(tmp_path)
    assert write_template(tmp_path).read_text(encoding="utf-8").startswith("#")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("interval = 300", "interval is no setting: did you mean interval_s?"),
        ("interval_s = 0", "interval_s is 0: give a number from 1 to 86400"),
        ("interval_s = true", "interval_s is True: give a number"),
        ("interval_s = 1.5", "interval_s is 1.5: give a whole number"),
        ('format = "xml"', "format is 'xml': choose one of \"markdown\", "),
        ("interval_s = \nx = 1", "not TOML: Invalid value (at line 1, column 14)"),
        ("redis = 1", "redis is no section: write [redis] above its keys"),
        ("[redis]\nport = 70_000", "[redis] port is 70000: give a number from 1"),
        ("[redis]\nhost = 1", "[redis] host is no text"),
        ("[redis]\npasword_env = 'A'", "[redis] pasword_env is no setting: did you"),
        (
            "[redis]\npassword_env = 'A'\nkeychain = 'b'",
            "[redis] password_env is one of several places of a password",
        ),
        ("[database]", "[database] path is missing"),
        ("[endpoint]\nurl = 'a'", "endpoint is no list of sections: write [[endpo"),
        ("[[endpoint]]\nurl = 'http://a'", "[[endpoint]] number 1: name is missing"),
        ("[[endpoint]]\nname = 'a'\nurl = 'file:///etc'", "url is no URL"),
        ("[[endpoint]]\nname = 'a'\nurl = 'http://a:x/'", "url is no URL"),
        ("[[endpoint]]\nname = 'a:**'\nurl = 'http://a'", "name has *, a line end"),
        (
            "[[endpoint]]\nname = 'a'\nurl = 'http://a'\njson_field = 'b'",
            "json_field goes with json_value",
        ),
        ("[[service]]\nname = '--all'", "name is neither a launchd label nor"),
        ("[[service]]\nname = 'a'\n[[service]]\nname = 'a'", "'a' is there twice"),
        ("[[disk]]\npath = '/'", "free_percent or free_bytes: give one of them"),
        ("[[file]]\npath = 'a'", "max_age_s is missing"),
        ("[[command]]\nname = 'a'\ncommand = 'ls'", "command is no list of words"),
        ("[[command]]\nname = 'a'\ncommand = []", "command is no list of words"),
        ("[redis]\nseverity = 'fatal'", "severity is 'fatal': choose one of"),
    ],
)
def test_a_wrong_setting_is_one_line(text: str, said: str) -> None:
    with pytest.raises(BadSetting) as wrong:
        parse_settings(text, FILE)
    assert said in str(wrong.value)
    assert str(wrong.value).startswith(f"{FILE}: ")
    assert "\n" not in str(wrong.value)


def test_a_wrong_url_is_not_shown() -> None:
    text = "[[endpoint]]\nname = 'a'\nurl = 'htp://ops:s3cr3t@host'"
    with pytest.raises(BadSetting) as wrong:
        parse_settings(text, FILE)
    assert "s3cr3t" not in str(wrong.value)


def test_no_settings_and_settings_that_cannot_be_read(tmp_path: Path) -> None:
    path = settings_path(tmp_path)
    with pytest.raises(NoSettings) as none:
        read_settings(tmp_path)
    assert str(none.value) == f"{path}: there is none"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\xff")
    with pytest.raises(BadSetting, match="it is not UTF-8"):
        read_settings(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(BadSetting, match="Is a directory"):
        read_settings(tmp_path)
