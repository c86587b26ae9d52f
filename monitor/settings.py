"""`monitor.toml`: what is looked at, how often, and what form a heartbeat has."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from monitor.section import BadSetting, Section

TEMPLATE = Path(__file__).with_name("template.toml")
FORMATS = ("markdown", "json", "both")
SEVERITIES = ("error", "warn")
LIMIT_S = 5.0


@dataclass(frozen=True)
class Check:
    """What all checks have: what a failure means, and how long one may take."""

    severity: str
    timeout_s: float


@dataclass(frozen=True)
class Redis(Check):
    host: str
    port: int
    username: str
    password_env: str
    password_file: str
    keychain: str
    tls: bool


@dataclass(frozen=True)
class Database(Check):
    path: str


@dataclass(frozen=True)
class Endpoint(Check):
    name: str
    url: str
    expect_status: int
    json_field: str
    json_value: str


@dataclass(frozen=True)
class Service(Check):
    name: str


@dataclass(frozen=True)
class Disk(Check):
    path: str
    free_percent: float | None
    free_bytes: int | None


@dataclass(frozen=True)
class File(Check):
    path: str
    max_age_s: float


@dataclass(frozen=True)
class Command(Check):
    name: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Settings:
    """All of a `monitor.toml`; a check that is not in it is not made."""

    interval_s: int = 300
    format: str = "markdown"
    redis: Redis | None = None
    database: Database | None = None
    endpoints: tuple[Endpoint, ...] = ()
    services: tuple[Service, ...] = ()
    disks: tuple[Disk, ...] = ()
    files: tuple[File, ...] = ()
    commands: tuple[Command, ...] = field(default=())


def settings_path(root: Path) -> Path:
    return root / "g" / "analytics" / "settings" / "monitor.toml"


def write_template(root: Path) -> Path:
    """Write the commented settings. Raises FileExistsError where there are some,
    and OSError; half of them do not stay."""
    path = settings_path(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as stream:
        try:
            stream.write(TEMPLATE.read_text(encoding="utf-8"))
            stream.flush()
        except OSError:
            path.unlink(missing_ok=True)
            raise
    return path


class NoSettings(BadSetting):
    """There are no settings yet."""


def read_settings(root: Path) -> Settings:
    """The settings of a root. Raises BadSetting, in one line: file, key, remedy;
    NoSettings, without a remedy, where there is no file."""
    path = settings_path(root)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NoSettings(f"{path}: there is none") from None
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "it is not UTF-8"
        raise BadSetting(f"{path}: cannot be read ({said}): mend or remove it") from (
            error
        )
    return parse_settings(text, path)


def parse_settings(text: str, path: Path) -> Settings:
    """Settings from the text of a file; `path` is only named. Raises BadSetting."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadSetting(f"{path}: not TOML: {error}: mend that line") from error
    top = Section(table, path, "")
    redis, database = top.table("redis"), top.table("database")
    settings = Settings(
        interval_s=top.whole("interval_s", 300, 1, 86_400),
        format=top.choice("format", "markdown", FORMATS),
        redis=_redis(redis) if redis else None,
        database=_database(database) if database else None,
        endpoints=tuple(map(_endpoint, top.tables("endpoint"))),
        services=tuple(map(_service, top.tables("service"))),
        disks=tuple(map(_disk, top.tables("disk"))),
        files=tuple(map(_file, top.tables("file"))),
        commands=tuple(map(_command, top.tables("command"))),
    )
    top.finish()
    _refuse_twins(settings, path)
    return settings


def _redis(section: Section) -> Redis:
    redis = Redis(
        *_common(section, "error"),
        host=section.text("host", "127.0.0.1"),
        port=section.whole("port", 6379, 1, 65_535),
        username=section.text("username", ""),
        password_env=section.text("password_env", ""),
        password_file=section.text("password_file", ""),
        keychain=section.text("keychain", ""),
        tls=section.flag("tls", False),
    )
    section.finish()
    sources = (redis.password_env, redis.password_file, redis.keychain)
    if sum(map(bool, sources)) > 1:
        raise section.bad(
            "password_env", "is one of several places of a password: leave one"
        )
    return redis


def _database(section: Section) -> Database:
    database = Database(*_common(section, "error"), path=section.text("path"))
    section.finish()
    return database


def _endpoint(section: Section) -> Endpoint:
    endpoint = Endpoint(
        *_common(section, "error"),
        name=section.name("name"),
        url=section.text("url"),
        expect_status=section.whole("expect_status", 200, 100, 599),
        json_field=section.text("json_field", ""),
        json_value=section.text("json_value", ""),
    )
    section.finish()
    try:
        parts = urlsplit(endpoint.url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname)
        is_url = is_url and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url or not endpoint.url.isascii() or " " in endpoint.url:
        # It may hold a password: it is not shown.
        raise section.bad("url", "is no URL: write it as http://127.0.0.1:4000/health")
    if bool(endpoint.json_field) != bool(endpoint.json_value):
        raise section.bad("json_field", "goes with json_value: give both or none")
    return endpoint


def _service(section: Section) -> Service:
    service = Service(*_common(section, "warn"), name=section.name("name"))
    section.finish()
    if service.name.startswith("-") or "/" in service.name:
        raise section.bad("name", "is neither a launchd label nor a systemd unit")
    return service


def _disk(section: Section) -> Disk:
    disk = Disk(
        *_common(section, "warn"),
        path=section.name("path"),
        free_percent=section.number("free_percent", None, 0, 100),
        free_bytes=section.whole("free_bytes", None, 0, 1 << 60),
    )
    section.finish()
    if (disk.free_percent is None) == (disk.free_bytes is None):
        raise section.bad("free_percent", "or free_bytes: give one of them")
    return disk


def _file(section: Section) -> File:
    file = File(
        *_common(section, "warn"),
        path=section.name("path"),
        max_age_s=section.number("max_age_s", None, 1, 1e9) or 0,
    )
    section.finish()
    if not file.max_age_s:
        raise section.bad("max_age_s", "is missing: write max_age_s = 86_400")
    return file


def _command(section: Section) -> Command:
    command = Command(
        *_common(section, "error"),
        name=section.name("name"),
        command=section.words("command"),
    )
    section.finish()
    return command


def _common(section: Section, severity: str) -> tuple[str, float]:
    return (
        section.choice("severity", severity, SEVERITIES),
        section.number("timeout_s", LIMIT_S, 0.1, 60) or LIMIT_S,
    )


def _refuse_twins(settings: Settings, path: Path) -> None:
    """Two checks of one name could not be told apart in a heartbeat."""
    named = {
        "endpoint": [check.name for check in settings.endpoints],
        "service": [check.name for check in settings.services],
        "disk": [check.path for check in settings.disks],
        "file": [check.path for check in settings.files],
        "command": [check.name for check in settings.commands],
    }
    for kind, names in named.items():
        for name in names:
            if names.count(name) > 1:
                raise BadSetting(
                    f"{path}: [[{kind}]] {name!r} is there twice: drop one"
                )
