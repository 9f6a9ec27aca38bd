"""Ruby's and PHP's traces."""

from __future__ import annotations

from shipper.presets.rows import ANOTHER, BLANK, HEAD, LOGGED, ORPHAN, PATH, SPACE, UPPER, Row

_RUBY_PLACE = r"[^\s:]+:\d+:in [`'][^']*'"
_RAISED = rf"{_RUBY_PLACE}: .*\([A-Z][\w:]*\)\s*$"

RUBY = (
    Row((HEAD,), rf"{_RUBY_PLACE}: ", "ruby.raised", "/app/order.rb:12:in 'Order#load': no order 42:", first=PATH),
    Row(LOGGED, _RAISED, "ruby.raised", "/app/order.rb:12:in `load': no order 42 (ArgumentError)"),
    # A cause follows the frames of what it caused.
    Row(
        ("ruby.frames", "ruby.raised"),
        _RAISED,
        "ruby.raised",
        "/app/store.rb:7:in 'Hash#fetch': key not found: 42 (KeyError)",
    ),
    Row(
        (HEAD,),
        r"#<Thread:\S+ \S+ run> terminated with exception",
        "ruby.thread",
        "#<Thread:0x00007f1c /app/worker.rb:3 run> terminated with exception (report_on_exception is true):",
        first="#",
    ),
    Row(("ruby.thread",), _RAISED, "ruby.raised", "/app/worker.rb:4:in `run': boom (RuntimeError)"),
    Row(
        (ORPHAN, "ruby.raised", "ruby.message?", "ruby.frames"),
        rf"\s+(?:\d+: )?from {_RUBY_PLACE}|\s+from \S+:\d+(?::in |\s*$)",
        "ruby.frames",
        "\tfrom /app/main.rb:3:in `block in <main>'",
        first=SPACE,
    ),
    Row(("ruby.frames",), r"\s+\.{3} \d+ levels\.{3}", "ruby.frames", "\t ... 23 levels..."),
    Row(
        (HEAD,),
        r"[A-Z][\w:]* \(.*\):\s*$",
        "rails",
        "ActiveRecord::RecordNotFound (Couldn't find Order with 'id'=42):",
        first=UPPER,
    ),
    Row(
        ("rails", "rails.gap?", "rails.frames"),
        rf"\s*{_RUBY_PLACE}\s*$",
        "rails.frames",
        "app/controllers/orders_controller.rb:12:in `show'",
    ),
    Row(("rails",), BLANK, "rails.gap?", ""),
    Row(
        ("ruby.raised", "ruby.message?"),
        rf"(?!{ANOTHER}|{_RUBY_PLACE})",
        "ruby.message?",
        "  @orders.fetch(id)",
    ),
)

_PHP_THROWN = r"(?:PHP )?(?:Fatal|Parse|Recoverable fatal) error: +Uncaught "

PHP = (
    Row(
        (HEAD,),
        rf"(?:\[[\w :/+-]{{10,40}}\] |NOTICE: PHP message: )?{_PHP_THROWN}",
        "php.thrown",
        "PHP Fatal error:  Uncaught RuntimeException: no order 42 in /app/Order.php:12",
        first="PFRN[",
    ),
    Row(("php.thrown", "php.message?", "php.next"), r"Stack trace:\s*$", "php.frames", "Stack trace:"),
    Row(LOGGED, r"(?:\[stacktrace\]|Stack trace:)\s*$", "php.frames?", "[stacktrace]"),
    Row(
        ("php.frames", "php.frames?", ORPHAN),
        r"#\d+ (?:\{main\}|\[internal function\]: |\S+\(\d+\): )",
        "php.frames",
        "#0 /app/index.php(3): load(42)",
        first="#",
    ),
    Row(("php.frames",), r"\"\}\s*$", "php.end", '"}'),
    Row(
        ("php.frames", "php.gap?"),
        r"Next [\w\\]+(?:: | in )",
        "php.next",
        "Next LogicException: wrapped in /app/Order.php:20",
    ),
    Row(
        ("php.frames", "php.thrown", ORPHAN),
        r"\s+thrown in \S+ on line \d+",
        "php.end",
        "  thrown in /app/Order.php on line 12",
        first=SPACE,
    ),
    Row(("php.frames",), BLANK, "php.gap?", ""),
    Row(
        ("php.thrown", "php.next", "php.message?"),
        rf"(?!{ANOTHER})",
        "php.message?",
        "the second line of the message in /app/Order.php:12",
    ),
)

ROWS = (*RUBY, *PHP)
