"""IP addresses: IPv4 dotted quads (RFC 791) and IPv6 text (RFC 4291 section 2.2, RFC 5952), and both as names of hosts
have them, with dashes."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence

from monitor.interfaces import Recognizer
from monitor.lazy import lazy

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_RELEASE = (
    r"[-.+_~]?(?:alpha|beta|rc|RC|pre|preview|dev|post(?=[-.]?\d)|snapshot|SNAPSHOT|nightly|canary|hotfix|Final|RELEASE|[ab](?=\d))"
    r"(?:[-.]?\d{1,9})?(?![A-Za-z0-9]|\.[A-Za-z])|[-.](?:whl|jar|nupkg|deb|rpm|msi|dll)\b"
)
"""What follows a version and no address."""
_V4 = lazy(
    rf"(?<!\d)(?<!\d\.)(?:(?<![A-Za-z]\.)|(?=[\d.]{{0,12}}\d{{3}})){_OCTET}(?:\.{_OCTET}){{3}}(?![\d]|\.\d|{_RELEASE})"
)
_V6 = lazy(
    rf"(?<![A-Za-z0-9])(?<!\d\.)(?<![A-Za-z0-9]_)(?:[0-9a-fA-F:]{{1,30}}:{_OCTET}(?:\.{_OCTET}){{3}}|[0-9a-fA-F:]{{2,39}})(?![A-Za-z0-9:]|_\w)"
)
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_FILE = (
    rf"(?:\.{_LABEL}){{0,3}}\.(?:tar\.|(?:gz|bz2|xz|zst|zip|lz4|js|map|css|json|jsonl|csv|tsv|parquet|xml|html|txt|log|sql|bak|tmp)"
    r"(?![A-Za-z0-9-]|\.[A-Za-z0-9]))"
)
"""What follows in a name of a file: one of several suffixes, "sql.gz"."""
_HOST = rf"(?:-[A-Za-z][A-Za-z0-9-]{{0,40}})?(?!{_FILE})\.{_LABEL}\.[A-Za-z]"
"""What follows in a name of a host: the rest of this label and two more."""
_DASHED_V4 = lazy(
    rf"(?<!\d)(?<!\d\.)(?:(?<!\d-)|(?<=[A-Za-z]\d-)){_OCTET}(?:-{_OCTET}){{3}}(?!\d)(?:(?P<host>(?={_HOST}))|(?!-\d|\.\d))"
)
_CLOUD = lazy(r"(?<![A-Za-z0-9])(?:ip|ec2)-\Z", re.IGNORECASE)
"""What a name that needs no others after it begins with: that of a machine of AWS."""
_DASHED_VERSION = lazy(r"(?<![A-Za-z0-9])(?:v|ver|version|release)-?\Z", re.IGNORECASE)
"""What a version begins with; "edge-203-0-113-77" and "build-…" are machines, too."""
_DASHED_V6 = lazy(
    rf"(?<![A-Za-z0-9])(?<!\w[-.])[0-9a-fA-F]{{1,4}}(?:-{{1,2}}[0-9a-fA-F]{{1,4}}){{1,7}}(?=(?:s\w{{1,9}})?{_HOST})"
)
_BY_SIGN = {
    sign: (one, lazy(rf"[0-9a-fA-F{sign}]*"), frozenset(f"{sign}0123456789abcdefABCDEF"))
    for sign, one in ((":", _V6), ("-", _DASHED_V6))
}
_LABELLED = lazy(r"(?<=[A-Za-z0-9])|:(?!:)")
"""Whether a run begins within a word or with its colon: "node:2001:db8::1"."""
_SIGN = lazy(r"[:-]")
_DASHED_QUAD = lazy(r"[0-9]{1,3}(?:-[0-9]{1,3}){3}")
_VERSION = lazy(
    r"(?:\b(?:v|ver|version|release|build|revision|section|chapter|clause|paragraph|firmware|kernel|driver"
    r"|Chrome|Chromium|Firefox|Safari|Edge?|EdgA|OPR|Version|Android|Windows NT)[\s:=./-]{0,3}"
    r"|§\s?|[=~><]=\s?)\Z",
    re.IGNORECASE,
)
_GLOBAL = lazy(
    r"(?:200[1-3]|2[4-9a-f][0-9a-f]{2}|3ff[ef]|f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]|ff[0-9a-f]{2}|64):",
    re.IGNORECASE,
)
"""What IANA gives out, for any use; 2004 to 23ff, where years and counts are, it does not:
https://www.iana.org/assignments/ipv6-unicast-address-assignments"""
_OCTETS = lazy(r"(?!0:0:)[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){7}", re.IGNORECASE)
"""Eight short groups are a ratio, or an identifier of a disk or a key: 0000::/8 is nobody's."""


def _find(text: str, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    done = run_end = 0
    for start in starts:
        if start < done:
            continue
        if match := _V4.match(text, start):
            if _VERSION.search(text[max(0, start - 16) : start]):
                continue
        elif match := _DASHED_V4.match(text, start):
            if _DASHED_VERSION.search(text, max(0, start - 10), start):
                continue
            if match["host"] is None and not _CLOUD.search(text, max(0, start - 5), start):
                continue
        elif start < run_end:
            continue  # a part of what was no address
        else:
            sign = _SIGN.search(text, start, start + 5)
            match, run_end = _v6(text, start, done, "-" if sign and sign[0] == "-" else ":")
            if match is None:
                continue
        done = match.end()
        yield match.span()


def _v6(text: str, start: int, done: int, sign: str) -> tuple[re.Match[str] | None, int]:
    """The address with `sign` around `start` and not before `done`, and where what may be one ends."""
    one, run, signs = _BY_SIGN[sign]
    begin = start
    while begin > start - 39 and begin > done and text[begin - 1] in signs:
        begin -= 1
    if sign == ":" and _LABELLED.match(text, begin):
        begin = text.find(":", begin) + 1
    match = one.match(text, begin) if begin >= done else None
    if match and (_is_v6(text, match) if sign == ":" else _is_dashed_v6(match.group())):
        return match, start
    rest = run.match(text, start)
    return None, rest.end() if rest else start


def _is_dashed_v6(value: str) -> bool:
    """Whether it is one that may be somebody's."""
    return _plausible(value) and _GLOBAL.match(_undashed(value)) is not None


def _undashed(value: str) -> str:
    """An address with the signs that its dashes stand for."""
    return value.replace("-", "." if _DASHED_QUAD.fullmatch(value) else ":")


def _is_v6(text: str, match: re.Match[str]) -> bool:
    """Whether it is an address and neither a time, a slice nor a name in some language."""
    value = match.group()
    if value.endswith(":") and not value.endswith("::"):
        return False
    try:
        ipaddress.IPv6Address(value)
    except ValueError:
        return False
    if "::" not in value:
        return _OCTETS.fullmatch(value) is None
    if value.lower().startswith("::ffff:"):
        return True
    if value == "::1":
        before = text[max(0, match.start() - 2) : match.start()]
        return not (before[-1:] == "[" and (before[:1].isalnum() or before[:1] in "_])"))
    return bool(_GLOBAL.match(value)) and any(map(str.isdigit, value))


def canonical(value: str) -> str:
    """The address as RFC 5952 writes it; an IPv4-mapped one as the IPv4 address it is.

    >>> canonical("2001:DB8:0:0:0:0:0:1"), canonical("::ffff:192.0.2.1")
    ('2001:db8::1', '192.0.2.1')
    >>> canonical("192-0-2-1"), canonical("2001-db8--1")
    ('192.0.2.1', '2001:db8::1')
    """
    try:
        address = ipaddress.ip_address(_undashed(value.strip()))
    except ValueError:
        return value.strip().lower()
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _plausible(text: str) -> bool:
    try:
        ipaddress.ip_address(_undashed(text.strip()))
    except ValueError:
        return False
    return True


RECOGNIZER = Recognizer(
    name="ip_address",
    entity="IP_ADDRESS",
    triggers=(
        r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]",
        r"[0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f]",
        r"::[0-9a-f]",
        r"[0-9a-f]::",
        r"[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,3}-[0-9]",
        r"[0-9a-f]--[0-9a-f]",
        r"[0-9a-f]-[0-9a-f]{1,4}-[0-9a-f]{1,4}-[0-9a-f]{1,4}-[0-9a-f]{1,4}-[0-9a-f]",
    ),
    find=_find,
    canonical=canonical,
    examples=(
        "from «192.0.2.44»:8080, then «10.0.0.1».",
        "IP.«203.0.113.9» and...«10.0.0.1»; host.«203-0-113-77».static.example.net",
        "http://«203.0.113.9»/x and host/«198.51.100.7»",
        "«10.0.0.1»-a host, «10.0.0.2».tar.gz, «10.0.0.3»/zip, «10.0.0.4»: beta, «10.0.0.5»-«10.0.0.9» and «10.0.0.6»-eth0",
        "«203.0.113.9».dev.example, «203.0.113.8»-post, «203.0.113.7»-beta.example",
        "CIDR «10.20.0.0»/16; ip=«8.8.8.8»",
        "«2001:db8:85a3:8d3:1319:8a2e:370:7348» logged in",
        "[«2001:db8::1»]:443 and «fe80::1ff:fe23:4567:890a»%eth0",
        "«::ffff:192.0.2.128» and localhost «::1»",
        "地址是«2001:db8::a:b»谢谢, _«2001:db8::1»_",
        "ip:«2001:db8::1», node:«2001:db8::2»; source:«2001:db8:85a3:8d3:1319:8a2e:370:7348» and...«2001:db8::3», IP.«2001:db8::4»",
        "«2003:11:30::12», «2a02:8109::7», «2600:1f18::5», «2001:7:8:9:a:b:c:d», «0:0:0:0:0:0:0:1», «64:ff9b::c000:221»",
        "gateway «2001:db8:1::» is up, «fd12:3456:789a::1»,",
        "ip-«203-0-113-77».ec2.internal, ec2-«203-0-113-78».compute-1.amazonaws.com and ip-«10-0-0-1»",
        "«203-0-113-77».static.example.net, host«203-0-113-76».example.net, c-«203-0-113-75»-dsl.hsd1.example.net",
        "edge-«203-0-113-74».cdn.example.net, «203-0-113-73».log.example.com, «203-0-113-72».static.csv.example.",
        "«10-244-1-5».default.pod.cluster.local, https://app-«10-0-0-1».nip.io/x",
        "«2001-db8--1».ipv6-literal.net, \\\\«fe80--1ff-fe23-4567-890a»s4.ipv6-literal.net",
        "«2001-DB8-85a3-8d3-1319-8a2e-370-7348».dyn.example.net",
    ),
    counterexamples=(
        "driver 16.14.46.200, version 10.0.19041.1 and v1.2.3.4, Chrome/120.0.0.0 Safari/537.36",
        "lib.so.1.2.3.4, Newtonsoft.Json.13.0.3.27, OID 1.3.6.1.4.1.311, 300.1.2.3, 1.2.3, section 4.3.2.1",
        "at 12:30:45:12 std::vector Face::add dead::beef x[::1] a[1::2] 1::2",
        "1.2.3.4-beta, 1.2.3.4-rc.1, 10.0.0.1-SNAPSHOT, 1.2.3.4b2, 1.2.3.4.post1, 1.2.3.4-dev. And 1.2.3.4.dev3, app-1.2.3.4.jar",
        "10-20-30-40, report-10-20-30-40.pdf, data-1-2-3-4.tar.gz, 2026-11-30-12.log.gz.example, 1-10-20-30-40.a.example.net",
        "dump-10-20-30-40.sql.gz, export-24-11-30-12.csv.zst, jquery-1-2-3-4.min.js.map, 2026-01-01--2026-01-31.part.csv",
        "v1-2-3-4.docs.example.com, release-1-2-3-4.docs.example.com",
        "git log --dec, a--b.example.net, dead--beef.example.net, 3f2504e0-4f89-11d3-9a0c-0305e82c3301.s3.example.com, ship-10-0-0-1",
        "2024-11-30--12.logs.example.com, 2024-11-30-12-15-59-00-00.logs.example.com, 2024-11--30.a.example.net, 2024--11.a.example.net",
        "id:2024::7, 2024::abc, score:3000::1, t[2048::2], 3306::db, 2024:: notes, 2100::d",
        "50:06:01:60:3b:20:19:5c, SHA1:aa:bb:cc:dd:ee:ff:00:11, ratios 1:2:3:4:5:6:7:8",
        "01:23:45:67:89:ab is a MAC, 12:30:45 a time, pip install x==1.0.0.1",
    ),
    keys=frozenset({"ip", "ipaddress", "ipaddr", "clientip", "remoteip", "remoteaddr"}),
    plausible=_plausible,
)
