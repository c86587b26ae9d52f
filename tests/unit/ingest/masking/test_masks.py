from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.masking.masks import Masks, load_masks
from ingest.masking.secret_names import is_secret_name
from ingest.text.clean import RAW_LIMIT

MASKS = load_masks()

# Pieces that rules look for, so that random texts come near to them.
PIECES = st.sampled_from(
    [
        *"\"'`\\=:@/ \n,;?&*-.()[]{}#",
        "password",
        "token",
        "s3cr3t",
        "--pass",
        "-a ",
        "redis-cli",
        "mysql -p",
        "://",
        "Bearer ",
        "Authorization",
        "***",
        "/Users/",
        "/home/",
        "/root",
        "/webhook/",
        "ghp_",
        "sk-",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "8080",
        "api_key",
        "=>",
        '""',
        "null",
        "\\n",
    ]
)


def test_names_are_unique_and_triggers_lower_case() -> None:
    assert len({rule.name for rule in MASKS.rules}) == len(MASKS.rules)
    triggers = [trigger for rule in MASKS.rules for trigger in rule.triggers]
    assert all(trigger == trigger.lower() and trigger for trigger in triggers)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('redis-cli -a "s3cr3t word" ping', 'redis-cli -a "***" ping'),
        ("redis-cli -p 6379 --pass=s3cr3t ping", "redis-cli -p 6379 --pass=*** ping"),
        ("--password 's3cr3t it' -x", "--password '***' -x"),
        ("mysql -u ops -p's3cr3t' db", "mysql -u ops -p'***' db"),
        ("redis://:s3cr3t@localhost:6379/0", "redis://:***@localhost:6379/0"),
        ("http://ops:p@s3cr3t@db/x", "http://ops:***@db/x"),
        ("http://ops:a/s3cr3t@db/x", "http://ops:***@db/x"),
        ("http://ops:a,s3cr3t@db/x", "http://ops:***@db/x"),
        ("smtp://ops@e.com:s3cr3t@mail:25", "smtp://ops@e.com:***@mail:25"),
        ("redis://:s3cr3t", "redis://:***"),
        ("redis://:12345", "redis://:***"),
        ("redis://ops:s3cr3t", "redis://ops:***"),
        ("a token=s3cr3t, b", "a token=***, b"),
        ("password=s3cr3t,neighbour", "password=***,neighbour"),
        ("(password=s3cr3t)", "(password=***)"),
        ("token=)s3(cr3t)", "token=***)"),
        ("{token: s3cr3t}", "{token: ***}"),
        ("?access_token=s3cr3t&page=2", "?access_token=***&page=2"),
        ("MYSQL_PWD=s3cr3t DB_PASS=s3cr3t x", "MYSQL_PWD=*** DB_PASS=*** x"),
        ("Uid=sa;Pwd=s3cr3t;", "Uid=sa;Pwd=***;"),
        ('{"password": "s3cr3t", "a": 1}', '{"password": "***", "a": 1}'),
        (r"{\"apiKey\": \"s3cr3t x\", \"a\"", r"{\"apiKey\": \"***\", \"a\""),
        (r'password="a\"s3cr3t", x', 'password="***", x'),
        ('password="s3cr3t', 'password="***'),
        ("password => 's3cr3t'", "password => '***'"),
        ("where token = 's3cr3t'", "where token = '***'"),
        ("X-Api-Key: s3cr3t", "X-Api-Key: ***"),
        ("Authorization: Bearer s3cr3t", "Authorization: Bearer ***"),
        ("-H 'authorization: Basic s3cr3t'", "-H 'authorization: Basic ***'"),
        ("https://e.com/webhook/s3cr3t", "https://e.com/webhook/***"),
        ("cd '/Users/ops/x' && ls /home/ops", "cd '~/x' && ls ~"),
        ("-I/Users/ops -L/home/ops/lib", "-I~ -L~/lib"),
        ("file:///root (/root)", "file://~ (~)"),
    ],
)
def test_secrets_are_masked(text: str, masked: str) -> None:
    assert MASKS.text(text) == masked
    assert MASKS.text(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "token savings --k=3",
        "phase 7.2 --k=5",
        "✅ Redis responding",
        "select * from users where password = ? and token=?, secret = $1",
        "where password == ? or token = :token",
        "password := ?",
        "password: undefined",
        "set password::text",
        'password=""',
        'password="", user=""',
        'echo "password: " && echo "done"',
        '{"msg": "enter password: ", "x": "y"}',
        "- **Authorization:** ✅ ok",
        "- **API Token:** ✅ ok",
        "http://localhost:8080",
        "see http://localhost:8080.",
        "http://host:8080/logo@2x.png",
        "http://[::1]:8080",
        "use --token to log in",
        "two-pass compile",
        "--pass-through x",
        "bearer token expired",
        "sk-learn and task-123456789012345",
        "PWD=/usr/bin",
        "https://example.com/home/page",
        "Unexpected token } in JSON",
        "redis-cli ping && ls -a folder",
        "pass: 10, fail: 2",
        "/app/src/webhook/handler.js",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert MASKS.text(text) is text or MASKS.text(text) == text


def test_the_structure_of_a_report_stays() -> None:
    text = "- **Status:** ❌ password:\n\n### Next\n\n- **Token:** ✅ ok\n---\n"
    assert MASKS.text(text) == text
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEs3cr3t\nAAAA=\n\n### Next\n- **X:** ok"
    assert (
        MASKS.text(key) == "-----BEGIN RSA PRIVATE KEY-----***\n\n### Next\n- **X:** ok"
    )


@given(st.lists(PIECES | st.text(max_size=5), max_size=30).map("".join))
@settings(deadline=None, max_examples=400)
def test_masking_is_idempotent(text: str) -> None:
    masked = MASKS.text(text)
    assert MASKS.text(masked) == masked


@given(st.text())
@settings(deadline=None)
def test_what_holds_no_trigger_comes_back_itself(text: str) -> None:
    if not MASKS.suspicious(text):
        assert MASKS.text(text) is text


@pytest.mark.parametrize(
    "piece",
    [
        *("-", "a-", "x)", "\\", "key", "://a:", "eyJ-", 'token="', "password='"),
        *("redis-cli ", "bearer ", "/webhook/", "--token '", "curl -u "),
        "-----BEGIN PRIVATE KEY-----",
    ],
)
def test_hostile_text_takes_no_long_time(piece: str) -> None:
    # A quadratic rule would take minutes; the suite's own limit is the clock.
    for prefix in ("token=", "key --pass ", "://a:", "eyJ", "bearer sk-"):
        MASKS.text(prefix + piece * (40_000 // len(piece)))


def test_long_raw_is_masked_before_it_is_cut() -> None:
    limit = 5_000
    for before in range(limit - 40, limit + 5_000, 61):
        text = "x" * before + " ghp_s3cr3t0123456789 " + "y" * 100_000
        raw = MASKS.raw(text, limit)
        assert "s3cr3t" not in raw
        assert "ghp_" not in raw
        assert limit - 50 < len(raw) <= limit
    assert MASKS.raw("token=s3cr3t") == "token=***"
    assert len(MASKS.raw("x" * (RAW_LIMIT + 1))) == RAW_LIMIT


@pytest.mark.parametrize(
    "name",
    [
        *(
            "DB_PASSWORD",
            "accessToken",
            "x-api-key",
            "pass",
            "password_hash",
            "cookies",
        ),
        *("Set-Cookie", "credentials", "jwt", "accountKey", "pwd", "authorization"),
        *("newPassphrase", "secrets", "passcode2", "private_keys"),
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)
    assert MASKS.suspicious(name)


@pytest.mark.parametrize("name", ["tokens", "token_count", "key", "compass", "pattern"])
def test_names_of_no_secrets(name: str) -> None:
    assert not is_secret_name(name)


def test_rules_come_from_a_file(tmp_path: Path) -> None:
    seed = tmp_path / "masks.csv"
    seed.write_text(
        "name,trigger,pattern,replacement,example\n"
        r'"shout",foo|bar,"\b(foo|bar)!+",\1,"foo! s3cr3t"' + "\n"
    )
    assert load_masks(seed).text("foo! BAR! bar!!") == "foo BAR! bar"


HEADER = "name,trigger,pattern,replacement\n"


def own(folder: Path, rows: str, header: str = HEADER) -> Masks:
    path = folder / "masks.csv"
    path.write_text(header + rows)
    return load_masks(own=path)


def test_the_operator_adds_rules_and_switches_others_off(tmp_path: Path) -> None:
    text = "ops@example.com of ACME-1234 has password=s3cr3t"
    masks = own(tmp_path, "email,,,\ncustomer,Acme,ACME-[0-9]+,ACME-*\n")
    assert masks.text(text) == "ops@example.com of ACME-* has password=***"
    assert masks.identity(masks.text(text)) == "*** of ACME-* has password=***"
    masks = own(tmp_path, 'email,@,([\\w.]+)@,***@\n"password",,,\n')
    assert masks.text("ops@example.com") == "***@example.com"
    assert masks.problems == ["line 3 is no rule (it has no name, or no pattern)"]


def test_without_a_file_nothing_is_switched_off(tmp_path: Path) -> None:
    masks = load_masks(own=tmp_path / "masks.csv")
    assert masks.problems == []
    assert masks.identity("ops@example.com") == "ops@example.com"


@pytest.mark.parametrize(
    "row",
    [
        "x,a,(,b\n",
        "x,a,a,\\2\n",
        "x,,a,b\n",
        "x,a|,a,b\n",
        "x,a,,b\n",
        ",a,a,b\n",
        "x,a,a*,b\n",
        "x,a,{value}{value},b\n",
        "x\n",
    ],
)
def test_a_row_that_is_no_rule_is_told_of(row: str, tmp_path: Path) -> None:
    masks = own(tmp_path, f"{row}customer,acme,acme,***\n")
    [problem] = masks.problems
    assert problem.startswith("line 2 is no rule (")
    assert masks.text("acme password=s3cr3t") == "*** password=***"


def test_a_file_that_is_no_csv_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "masks.csv"
    for data in (b'\xff\xfe\0 a\n\0\nmore,"and\n', b"x" * 200_000 + b"\n1\n"):
        path.write_bytes(data)
        masks = load_masks(own=path)
        assert masks.problems
        assert masks.text("password=s3cr3t") == "password=***"
