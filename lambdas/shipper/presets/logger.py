"""Records of loggers that take several lines, and the log line that a stack trace belongs to."""

from __future__ import annotations

from shipper.presets.rows import BLANK, DIGIT, HEAD, LOGGED, MARK, OWN_HEADER, UPPER, Row

# A warning's line is not among them: what stands below it is as often a record of its own.
ERRORS = (
    # The one trace right below has no header of its own.
    Row(
        (HEAD,),
        r"\W{0,3}\d{1,4}[-/:.]\d\d[-/:.\d].{0,80}?(?:\b(?:ERROR|FATAL|SEVERE|CRITICAL|ERR|FTL)\b|\[error\s*\])",
        "logger.error",
        "2026-11-20 03:04:07.287 ERROR [checkout,,] 1 --- [nio-8080-exec-3] c.s.CheckoutService : checkout failed",
        first=MARK + DIGIT,
    ),
    Row(
        (HEAD,),
        r"\W{0,3}(?:ERROR|FATAL|SEVERE|CRITICAL)\b",
        "logger.error",
        "ERROR:    Exception in ASGI application",
        first=MARK + "EFSC",
    ),
    Row(
        (HEAD,),
        r"(?:[EF]\d{4} \d\d:\d\d:\d\d|[EF], \[\d{4}-)",
        "logger.error",
        "E1120 03:04:05.123456       1 runtime.go:79] Observed a panic: assignment to entry in nil map",
        first="EF",
    ),
    Row(
        (HEAD,),
        r"\[Nest\] \d+ .{0,60}?\bERROR\b",
        "logger.error",
        "[Nest] 1  - 11/20/2026, 3:04:05 AM   ERROR [Orders] x",
        first="[",
    ),
    Row((HEAD,), r"Internal Server Error: /", "logger.error", "Internal Server Error: /orders/42", first="I"),
    Row(LOGGED, BLANK, "logger.gap?", ""),
)

JUL = (
    Row(
        (HEAD,),
        r"[A-Z][a-z]{2} \d{1,2}, \d{4} \d{1,2}:\d\d:\d\d [AP]M \S+(?: \S+)?\s*$",
        "jul.head",
        "Nov 20, 2026 3:04:05 AM com.shop.orders.Publisher publish",
        first=UPPER,
    ),
    Row(("jul.head",), r"SEVERE: ", "logger.error", "SEVERE: cannot publish OrderPlaced for O-550184"),
    Row(
        ("jul.head",),
        r"(?:WARNING|INFO|CONFIG|FINE|FINER|FINEST): ",
        "jul.message",
        "INFO: published OrderPlaced for O-550184",
    ),
)

CONSOLE = (
    # https://learn.microsoft.com/en-us/dotnet/core/extensions/logging/console-log-formatter
    Row(
        (HEAD,),
        r"(?:\d[\d:T./ +Z-]{5,40})?(?:trce|dbug|info|warn|fail|crit): [^\s\[]+\[-?\d+\]\s*$",
        "console",
        "info: Microsoft.Hosting.Lifetime[14]",
        first=DIGIT + "tdiwfc",
    ),
    Row(("console",), r" {6}", "console", "      Now listening on: http://[::]:8080"),
)

# https://docs.spring.io/spring-boot/reference/features/spring-application.html (startup failure)
SPRING = (
    Row(LOGGED, r"\*{10,}\s*$", "spring.stars?", "***************************"),
    Row(("spring.stars?",), r"APPLICATION FAILED TO START\s*$", "spring", "APPLICATION FAILED TO START"),
    Row(("spring",), r"\*{10,}\s*$", "spring", "***************************"),
    Row(("spring", "spring.text", "spring.text?", "spring.gap?"), BLANK, "spring.gap?", ""),
    Row(
        ("spring", "spring.text", "spring.text?", "spring.gap?"),
        r"(?:Description|Action):\s*$",
        "spring.section",
        "Description:",
    ),
    Row(("spring.section", "spring.title?"), BLANK, "spring.title?", ""),
    Row(
        ("spring.section", "spring.title?"),
        rf"(?!{OWN_HEADER})\S",
        "spring.text",
        "Web server failed to start. Port 8080 was already in use.",
    ),
    Row(
        ("spring.text", "spring.gap?", "spring.text?"),
        rf"(?!{OWN_HEADER})\s*\S",
        "spring.text?",
        "The injection point has the following annotations:",
    ),
)
