"""Traces whose frames begin with `at`: the JVM's languages, .NET and JavaScript share their first lines."""

from __future__ import annotations

from shipper.presets.rows import ANOTHER, BLANK, HEAD, LEVEL, LOGGED, NAME, ORPHAN, SPACE, THROWN, UPPER, Row

_CLASS = r"(?:(?:[\w$]+\.)+[A-Z][\w$]*|(?:[A-Z]\w*)?(?:Error|Exception)(?: \[\w+\])?)"
_DOTTED = r"(?:[\w$+`]+\.)+[\w$+`]+"
_FRAME = r"\s+at (?:(?=[^\s().]+\.)[^\s()]+|lambda_method\d*)\("
_NODE_FRAME = (
    r"\s+at (?:[^()]{0,200} \()?(?:async )?(?:(?=[^\s()]*[A-Za-z/\\>])[^\s()]+:\d+|<anonymous>|native|index \d+)"
)

_GLUED_FRAME = r"(?:\t|   )at (?=[^\s().]+\.)[^\s()]+\("

_WORDS = ("word", "node.warning")
_HEADS = ("thrown", "thrown?", "class", "class?", "message?", "cause")
_BODY = (*_HEADS, "frames", "frames.gap?")

HEADS = (
    Row(
        (HEAD,),
        r"(?:Exception in thread \"|Unhandled [Ee]xception[.:] |Uncaught (?:[Ee]xception )?)",
        "thrown",
        'Exception in thread "main" java.lang.Error: boom',
        first="EU",
    ),
    Row((HEAD,), THROWN, "thrown", "java.lang.IllegalStateException: no stock for 77-120", first=NAME),
    Row(LOGGED, rf"(?=[\w$]+\.){THROWN}", "thrown", "java.lang.IllegalStateException: no stock for 77-120"),
    Row(LOGGED, THROWN, "thrown?", "TypeError: fetch failed"),
    Row(
        (HEAD,),
        r"[\w$.]+\.[A-Z][\w$]*(?::|\s*$|\s+at )",
        "class",
        "com.shop.OutOfStock: sold out",
        first=NAME,
    ),
    # So much can be the name of a class in JavaScript only.
    Row(
        (HEAD,),
        rf"(?!{LEVEL})[A-Z]\w*(?: \[\w+\])?(?::|\s*$)",
        "word",
        "PriceMismatch: shown 74900, charged 79400",
        first=UPPER,
    ),
    Row(LOGGED, r"(?:[\w$]+\.)+[A-Z][\w$]*(?::|\s*$|\s+at )", "class?", "com.shop.OutOfStock: sold out"),
)

FRAMES = (
    Row(
        (*LOGGED, ORPHAN, *_BODY, *_WORDS),
        r"\s+at .*\{\s*$",
        "properties",
        "    at async /app/dist/server.js:58:16 {",
        first=SPACE,
    ),
    Row(
        (*LOGGED, ORPHAN, *_BODY),
        rf"(?:{_FRAME}|{_NODE_FRAME}|\s+at \(Coroutine boundary\))",
        "frames",
        "\tat java.base/java.util.stream.ReferencePipeline.collect(ReferencePipeline.java:682) ~[na:na]",
        first=SPACE,
    ),
    Row(
        (ORPHAN, *_BODY),
        rf"\s*(?:[Cc]aused by|Suppressed|Wrapped by): {_CLASS}(?::|\s*$|\s+at )",
        "cause",
        "Caused by: java.net.SocketTimeoutException: Read timed out",
        first=SPACE + "CcSW",
    ),
    Row(
        (ORPHAN, *_BODY),
        rf"\s*---> (?:\(Inner Exception #\d+\) )?{_DOTTED}",
        "cause",
        " ---> System.TimeoutException: rate feed is down",
        first=SPACE + "-",
    ),
    Row(
        (ORPHAN, *_BODY),
        r"\s+\.{3} \d+ (?:more|common frames omitted)\s*$",
        "frames",
        "\t... 23 more",
        first=SPACE,
    ),
    Row(
        (ORPHAN, *_BODY),
        r"\s*--- End of .{0,80}stack trace.{0,80} ---",
        "frames",
        "   --- End of inner exception stack trace ---",
        first=SPACE + "-",
    ),
    Row(_BODY, r"\s*\[CIRCULAR REFERENCE: ", "frames", "\t[CIRCULAR REFERENCE: java.lang.Error: a]"),
    Row(("frames", "frames.gap?"), BLANK, "frames.gap?", ""),
    # A thread of a thread dump.
    Row(
        (HEAD,),
        r'"[^"]+" #\d+ ',
        "thread",
        '"http-nio-8080-exec-3" #42 daemon prio=5 os_prio=0 tid=0x1 nid=0x2',
        first='"',
    ),
    Row(("thread",), r"\s+java\.lang\.Thread\.State: ", "frames", "   java.lang.Thread.State: RUNNABLE"),
    Row(("frames",), r"\s+- (?:locked|waiting|parking|eliminated|None)\b", "frames", "\t- locked <0x1> (a b.C)"),
)

NODE = (
    Row(_WORDS, _NODE_FRAME, "frames", "    at emitWarning (node:internal/process/warning:96:14)"),
    # https://nodejs.org/api/util.html#utilinspectobject-options: an error's own properties follow its last frame.
    Row(("properties",), r"\}\s*$", "frames", "}"),
    Row(("properties",), r"\s+\S", "properties", "  [cause]: TypeError: fetch failed"),
    Row(
        (HEAD,),
        r"(?:node:|file:///?|/)\S+:\d+ .*\^\s*$",
        "caret",
        "/app/price.js:44    throw new PriceMismatch(a);    ^",
        first="nf/",
    ),
    Row(
        (HEAD,),
        r"(?:node:|file:///?|/|[A-Z]:\\)\S+:\d+\s*$",
        "source",
        "/app/dist/api/price.js:44",
        first="nf/" + UPPER,
    ),
    Row(("source", "code?"), r"\s*\^+\s*$", "caret", "    ^"),
    Row(("source",), r"\s*\S", "code?", "    throw new PriceMismatch(shown, charged);"),
    Row(("caret", "caret.gap?"), BLANK, "caret.gap?", ""),
    Row(
        ("caret", "caret.gap?"),
        rf"(?:Uncaught:?\s*$|(?:Uncaught )?(?!{LEVEL})[A-Z]\w*(?: \[\w+\])?:)",
        "thrown",
        "PriceMismatch: shown 74900, charged 79400",
    ),
    # What was thrown is no error.
    Row(("caret", "caret.gap?"), rf"(?!{ANOTHER})", "caret.value?", "no cart"),
    Row(
        ("caret.value?",),
        r"\(Use `node --trace-uncaught",
        "frames",
        "(Use `node --trace-uncaught ...` to show where the exception was thrown)",
    ),
    Row(_BODY, r"Node\.js v\d+\.\d+\.\d+\s*$", "node.end", "Node.js v22.11.0"),
    Row(
        (HEAD,),
        r"\(node:\d+\) ",
        "node.warning",
        "(node:1) Warning: Setting the NODE_TLS_REJECT_UNAUTHORIZED variable",
        first="(",
    ),
    Row(
        ("node.warning", "frames"),
        r"\(Use `[\w.-]+ --trace-",
        "node.end",
        "(Use `node --trace-warnings ...` to show where the warning was created)",
    ),
)

# A message of several lines: last, since whatever is no logger's own line can be part of it.
MESSAGE = (
    Row(
        ("thrown", "thrown?", "cause", "message?"),
        rf"(?!{ANOTHER}).*{_GLUED_FRAME}",
        "frames",
        "Please correct them in the admin console.\tat com.shop.checkout.CouponEngine.apply(CouponEngine.java:158)",
    ),
    Row(
        ("thrown", "thrown?", "cause", "message?"),
        rf"(?!{ANOTHER})",
        "message?",
        "Please correct them in the admin console.",
    ),
)

ROWS = (*HEADS, *FRAMES, *NODE, *MESSAGE)
