"""Go's panics and stacks: https://pkg.go.dev/runtime#hdr-Environment_Variables (GOTRACEBACK)."""

from __future__ import annotations

from shipper.presets.rows import ANOTHER, BLANK, DIGIT, HEAD, LOGGED, ORPHAN, Row

_GOROUTINE = r"goroutine \d+ (?:[^\s=]+=\S+ )*\[[^\]]*\]:\s*$"
_CALL = r"[^\s()]+(?:\(\*?[^\s()]+\)[^\s()]*)?\((?:\.\.\.|[{}0-9a-fx?, .]*)\)"
_BARE_CALL = r"(?=[^\s.]+\.)[\w./~%()*\[\]-]+\s*$"
_AT_FILE = r"\t\S+:\d+(?: \+0x[0-9a-f]+)?(?: fp=\S.*)?\s*$"
_GO_FILE = r"\t/?\S+\.(?:go|s):\d+(?: \+0x[0-9a-f]+)?(?: fp=\S.*)?\s*$"
_STACKS = ("go.stack", "go.stack?")

ROWS = (
    Row(
        (HEAD,),
        r"(?:panic|fatal error|SIG[A-Z]+): ",
        "go.panic",
        "panic: assignment to entry in nil map",
        first="pfS",
    ),
    Row(
        (HEAD,),
        r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d+)? http: panic serving ",
        "go.panic",
        "2026/11/20 03:04:06 http: panic serving 10.20.7.19:40122: runtime error: index out of range [3]",
        first=DIGIT,
    ),
    Row((HEAD,), r"unexpected fault address 0x", "go.fault", "unexpected fault address 0x7f1c", first="u"),
    Row(("go.fault",), r"fatal error: ", "go.panic", "fatal error: fault"),
    Row((HEAD,), _GOROUTINE, "go.stack", "goroutine 1 [running]:", first="g"),
    Row(
        ("go.panic", "go.gap?", "go.message?"),
        r"(?:\tpanic: |\[signal |\[originating from |PC=0x|goroutine \d+ .*\bcrashed)",
        "go.panic",
        "[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x7d21c5]",
    ),
    Row(
        ("go.panic", "go.message?", "go.gap?", "go.stack", *LOGGED), _GOROUTINE, "go.stack?", "goroutine 41 [running]:"
    ),
    Row(
        _STACKS,
        rf"(?:{_CALL}|created by \S+(?: in goroutine \d+)?){_AT_FILE}",
        "go.stack",
        "main.main()\t/src/main.go:71 +0x4c5",
    ),
    Row((*_STACKS, *LOGGED), rf"(?:{_CALL}\s*$|{_BARE_CALL})", "go.call?", "shop/inventory/stock.(*Shelf).lock(...)"),
    Row(_STACKS, r"created by \S+", "go.call?", "created by net/http.(*Server).Serve in goroutine 1"),
    Row(("go.call?",), _AT_FILE, "go.stack", "\t/usr/local/go/src/net/http/server.go:3360 +0x485"),
    Row((ORPHAN,), _GO_FILE, "go.stack", "\t/src/cache/lru.go:28 +0x6d", first="\t"),
    Row(
        (ORPHAN,),
        r"created by \S+ in goroutine \d+",
        "go.call?",
        "created by net/http.(*Server).Serve in goroutine 1",
        first="c",
    ),
    Row(
        _STACKS,
        r"(?:\.{3}\d* ?(?:additional )?frames elided\.{3}|\tgoroutine running on other thread|runtime: )",
        "go.stack",
        "...additional frames elided...",
    ),
    Row(("go.stack", "go.gap?"), r"exit status \d+\s*$", "go.end", "exit status 2"),
    Row(("go.stack", "go.gap?"), r"[a-z]\w{1,5} +0x[0-9a-f]+\s*$", "go.stack", "rax    0xfffffffffffffffc"),
    Row(("go.panic", "go.stack", "go.gap?", "go.message?"), BLANK, "go.gap?", ""),
    Row(
        ("go.panic", "go.message?"),
        rf"(?!{ANOTHER})",
        "go.message?",
        "while moving shelf 12",
    ),
)

# https://go.dev/doc/articles/race_detector#Report_Format
RACE = (
    Row((HEAD,), r"={18}\s*$", "race.line", "==================", first="="),
    Row(("race.line",), r"WARNING: DATA RACE\s*$", "race", "WARNING: DATA RACE"),
    Row(("race",), r"={18}\s*$", "race.end", "=================="),
    Row(
        ("race",),
        r"(?:\s*$|  |(?:Previous )?(?:[Rr]ead|[Ww]rite|atomic) |Goroutine \d+ |\[failed to)",
        "race",
        "Previous write at 0x00c0000b6010 by main goroutine:",
    ),
)
