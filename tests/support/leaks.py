"""JSON documents with secrets under names that tell, and figures under names that do not."""

from __future__ import annotations

from hypothesis import strategies as st

SECRET_NAMES = [
    *("password", "db_password", "PGPASSWORD", "passphrase", "secret", "client_secret", "token"),
    *("clientSecret", "access_token", "refreshToken", "id_token", "api_key", "apiKey", "X-Api-Key"),
    *(
        "private_key",
        "aws_secret_access_key",
        "SessionToken",
        "AccountKey",
        "credentials",
        "tokens",
    ),
    *("SECRET_KEY_BASE", "API_TOKEN_STAGING", "encrypted_password", "jwt", "api key", "secret_id"),
]
HARMLESS_NAMES = [
    *(
        "tokens",
        "token_count",
        "max_tokens",
        "completionTokens",
        "password_attempts",
        "key",
        "keys",
    ),
    *("primary_key", "secret_version", "api_key_id", "expires_in", "token_ttl_s", "rows", "auth"),
    *(
        "token_errors_p95",
        "signature",
        "password_age_days",
        "public_key",
        "status",
        "pass",
        "author",
    ),
]
BEGIN, END = "Zq7x", "x7qZ"
secrets = st.text(max_size=30).map(lambda text: f"{BEGIN}{text}{END}")
numbers = st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False)
told = st.dictionaries(
    st.sampled_from(SECRET_NAMES), secrets | st.lists(secrets, max_size=3), max_size=3
)
harmless = st.dictionaries(
    st.sampled_from(HARMLESS_NAMES),
    numbers | st.sampled_from([None, True, False, "", "ok"]),
    max_size=4,
)
leaves = st.builds(lambda one, other: {**one, **other}, harmless, told)
documents = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.builds(lambda leaf, more: {**leaf, "more": more}, leaves, inner)
    ),
    max_leaves=6,
)
shapes = st.sampled_from(
    [
        {"separators": (",", ":")},
        {},
        {"indent": 2},
        {"indent": "\t", "separators": (" ,", " : ")},
        {"ensure_ascii": False},
        {"ensure_ascii": False, "indent": 4},
    ]
)
