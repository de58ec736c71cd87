"""API keys and tokens that services mark with a prefix of their own, and JSON web tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.finders import is_slug
from monitor.interfaces import Recognizer
from monitor.lazy import lazy

# Prefix as a trigger sees it → the rest, by the issuers' documentation.
_SHAPES = {
    "sk-": r"sk-(?:(?:proj|svcacct|admin|ant|or|lf|live|test|None)-)?[\w-]{20,}",  # OpenAI, Anthropic, …
    "[spr]k_(?:live|test|prod)_": r"[spr]k_(?:live|test|prod)_[A-Za-z0-9]{10,}",  # Stripe, Clerk
    "whsec_": r"whsec_[A-Za-z0-9+/=]{24,}",  # Stripe webhooks
    "(?:AKIA|ASIA|ABIA|ACCA|A3T)": r"(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z2-7]{16}(?![A-Za-z0-9])",  # AWS
    "gh[pousr]_": r"gh[pousr]_[A-Za-z0-9]{30,255}",  # GitHub
    "github_pat_": r"github_pat_\w{22,255}",
    "gl(?:pat|dt|rt|ft|soat|cbt|ptt|agent)-": r"gl(?:pat|dt|rt|ft|soat|cbt|ptt|agent)-[\w=-]{20,}",  # GitLab
    "xox[abeoprs]-": r"xox[abeoprs](?:\.xox[bp])?-[\w-]{10,}",  # Slack
    "xapp-": r"xapp-\d-[\w-]{10,}",
    "hooks\\.slack\\.com/": r"hooks\.slack\.com/(?:services|workflows)/[\w/]{40,}",
    "npm_": r"npm_[A-Za-z0-9]{36}",
    "pypi-": r"pypi-AgE[\w-]{50,}",
    "hf_": r"hf_[A-Za-z0-9]{30,}",  # Hugging Face
    "r8_": r"r8_[A-Za-z0-9]{30,}",  # Replicate
    "gsk_": r"gsk_[A-Za-z0-9]{40,}",  # Groq
    "xai-": r"xai-[A-Za-z0-9]{60,}",
    "AIza": r"AIza[\w-]{35}",  # Google
    "GOCSPX-": r"GOCSPX-[\w-]{28}",
    "ya29\\.": r"ya29\.[\w-]{20,}",
    "SG\\.": r"SG\.[\w-]{16,32}\.[\w-]{16,64}",  # SendGrid
    "key-[0-9a-f]": r"key-[0-9a-f]{32}(?![A-Za-z0-9])",  # Mailgun
    "(?:AC|SK)[0-9a-f]{8}": r"(?:AC|SK)[0-9a-f]{32}(?![A-Za-z0-9])",  # Twilio
    "dop_v1_": r"do[opr]_v1_[a-f0-9]{64}",  # DigitalOcean
    "doo_v1_": r"do[opr]_v1_[a-f0-9]{64}",
    "shp(?:at|ca|pa|ss)_": r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",  # Shopify
    "sq0(?:atp|csp)-": r"sq0(?:atp|csp)-[\w-]{22,}",  # Square
    "hvs\\.": r"hvs\.[\w-]{24,}",  # HashiCorp Vault
    "dapi[0-9a-f]": r"dapi[a-f0-9]{32}",  # Databricks
    "lin_api_": r"lin_api_[A-Za-z0-9]{30,}",
    "PMAK-": r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}",  # Postman
    "secret_[a-z0-9]": r"secret_[A-Za-z0-9]{43}",  # Notion
    "ntn_": r"ntn_[A-Za-z0-9]{40,}",
    "eyJ": r"eyJ[\w-]{8,}={0,2}\.(?:[\w-]{8,}={0,2}(?:\.[\w-]*={0,2}){0,3}|\.[\w-]+(?:\.[\w-]*){2})",  # RFC 7519, 7516
    "AGE-SECRET-KEY-": r"AGE-SECRET-KEY-1[A-Z0-9]{58}",
    "[0-9]{8,10}:AA": r"\d{8,10}:AA[\w-]{32,34}",  # Telegram
}
_SHAPE = "|".join(dict.fromkeys(_SHAPES.values()))
_shape = lazy(rf"(?:{_SHAPE})")
_within = lazy(
    r"(?<=[A-Za-z])(?<!\\[nrt])(?:[spr]k[-_](?!or-v1-|ant-)|gsk_|key-|npm_|secret_|A[3-Z]|SK)"
)
"""A prefix that may as well be the end of a word (task-, monkey-), behind a letter that is no escape's."""
_prefix = lazy("|".join(_SHAPES))
_run = lazy(r"[\w-]*")


def _find(text: str, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    done = run_end = 0
    for start in starts:
        is_web_token = text.startswith("eyJ", start)
        if start < done or (is_web_token and start < run_end):
            continue
        match = _shape.match(text, start)
        if match:
            done = match.end()
            rest = _prefix.sub("", match.group(), count=1)
            if is_web_token or (
                _is_mixed(rest) if _within.match(text, start) else not is_slug(rest)
            ):
                yield match.span()
        elif is_web_token and (run := _run.match(text, start)):
            run_end = run.end()  # what follows the run is wrong for all that begin in it


def _is_mixed(rest: str) -> bool:
    """Whether it can be nothing but a key: longer than ids are, and in both cases, which digests are not.
    (A letter stands before a key where that is the length of a binary field.)"""
    return len(rest) >= 40 and not rest.islower() and not rest.isupper() and not is_slug(rest)


def _plausible(text: str) -> bool:
    text = text.strip()
    return len(text) >= 8 and not any(map(str.isspace, text)) and any(map(str.isdigit, text))


RECOGNIZER = Recognizer(
    name="api_key",
    entity="SECRET",
    triggers=tuple(_SHAPES),
    find=_find,
    canonical=str.strip,
    examples=(
        "key «sk-abcdefghijklmnopqrstuvwxyz123456», «sk-proj-Abc_def-0123456789abcdefghij».",
        "«sk_live_4eC39HqLyjWDarjtT1zdp7dc» «AKIAIOSFODNN7EXAMPLE» «ghp_0123456789abcdefghijABCDEFGHIJ012345»",
        "«github_pat_11AAAAAAA0abcdefghijkl_mnopqrstuvwxyz» «glpat-0123456789abcdefghij»",
        "«xoxb-1234567890-abcdefghij» «npm_0123456789abcdefghij0123456789abcdef»",
        "«hf_abcdefghijklmnopqrstuvwxyzABCDEFGH» «AIzaSyA0123456789abcdefghijklmnopqrstuv»",
        "jwt=«eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U»;",
        "«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»",
        r"密钥«sk-lf-3f2504e0-4f89-11d3-9a0c-0305e82c3301», \n«AKIAQWERTYUIOPASDFGH» KEY_«sk-Abc_def-0123456789abcdef»",
    ),
    counterexamples=(
        "sk-learn and task-abcdefghijklmnop, npm_config_cache, hf_hub, key-value, risk_level",
        "<task-notification-for-background-agents> risk-assessment-framework-2026-q3-results",
        "disk-usage-monitoring-daemon-v2.service, mask-rcnn-resnet50-fpn-coco-v2024, task-7f3a9c2b1e5d8f4a6b0c1d2e",
        ".sk-skeleton-loader-with-background-color--dark { } sk-folding-cube-animation-wrapper-2.css",
        "glrt-runtime-image-for-the-test-cluster.yaml, xoxb-is-the-prefix-of-bot-tokens, monkey-0123456789abcdef0123456789abcdef",
        "pk_test_environmentVariables, desk_live_0123456789abcdef, NAKIAIOSFODNN7EXAMPLE, hvs.kubernetes-authentication-role",
        "SG.something-or-otherx.something-or-othery, sk-your-api-key-goes-here",
        "eyJ alone, AKIA12, ghp_short, sk_live_, SG.1.2, xoxo-hugs",
    ),
    keys=frozenset(
        {
            "apikey",
            "xapikey",
            "apitoken",
            "accesstoken",
            "refreshtoken",
            "authtoken",
            "idtoken",
            "sessiontoken",
            "bearertoken",
            "secretkey",
            "accesskey",
            "accesskeyid",
            "secretaccesskey",
            "clientsecret",
            "privatekey",
            "authorization",
            "sessionid",
            "cookie",
            "jwt",
            "webhooksecret",
        }
    ),
    plausible=_plausible,
)
