"""Rust's panics and causes, C++'s last words, Dart's traces."""

from __future__ import annotations

from shipper.presets.rows import ANOTHER, BLANK, HEAD, Row

# https://doc.rust-lang.org/std/panic/
RUST = (
    Row(
        (HEAD,),
        r"thread '[^']*' (?:\(\d+\) )?panicked at .*:\d+:\d+:\s*$",
        "rust.panic",
        "thread 'main' panicked at src/main.rs:12:5:",
        first="t",
    ),
    Row(
        (HEAD,),
        r"thread '[^']*' panicked at ",
        "rust.message",
        "thread 'main' panicked at 'no order 42', src/main.rs:12:5",
        first="t",
    ),
    Row(
        ("rust.message", "rust.message?", "rust.causes", "rust.gap?"),
        r"[Ss]tack backtrace:\s*$",
        "rust.frames",
        "stack backtrace:",
    ),
    Row(
        ("rust.message", "rust.message?", "rust.frames"),
        r"note: (?:run with `RUST_BACKTRACE|[Ss]ome details are omitted)",
        "rust.end",
        "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
    ),
    Row(("rust.frames",), r"\s+(?:\d+: \S|at \S+:\d+)", "rust.frames", "             at /app/src/main.rs:12:5"),
    Row(("rust.panic",), rf"(?!{ANOTHER})", "rust.message", "no order 42"),
    # https://docs.rs/anyhow: `main` returned an error with causes.
    Row(("thrown", "rust.headed?"), r"Caused by:\s*$", "rust.causes", "Caused by:"),
    Row(("thrown",), BLANK, "rust.headed?", ""),
    Row(("rust.causes",), r" {4}\S", "rust.causes", "    0: connection refused"),
    Row(("rust.causes",), BLANK, "rust.gap?", ""),
    Row(
        ("rust.message", "rust.message?"),
        rf"(?!{ANOTHER})",
        "rust.message?",
        " right: 43",
    ),
)

CPP = (
    Row(
        (HEAD,),
        r"(?:libc\+\+abi: )?terminat(?:e called|ing) ",
        "cpp.terminate",
        "terminate called after throwing an instance of 'std::runtime_error'",
        first="tl",
    ),
    Row(("cpp.terminate",), r"  what\(\): ", "cpp.what", "  what():  no order 42"),
    Row(("cpp.terminate", "cpp.what"), r"Aborted\b", "cpp.end", "Aborted (core dumped)"),
    Row(
        (HEAD,),
        r"=+\d+=+ ?ERROR: \w+Sanitizer: ",
        "sanitizer",
        "==7==ERROR: AddressSanitizer: heap-use-after-free on address",
        first="=",
    ),
    Row(
        ("sanitizer",),
        r"(?:    #\d+ 0x|\S.{0,60} thread T\d+)",
        "sanitizer",
        "    #0 0x55d1 in load /src/order.cc:12:3",
    ),
)

DART = (
    Row((HEAD,), r"Unhandled exception:\s*$", "dart.head", "Unhandled exception:", first="U"),
    Row(("dart.head",), rf"(?!{ANOTHER}|#0)", "dart.message?", "Bad state: no order 42"),
    Row(
        ("dart.head", "dart.message?", "dart.frames"),
        r"#\d+ {2,}\S.* \(",
        "dart.frames",
        "#0      load (file:///app/main.dart:3:5)",
    ),
    Row(("dart.frames",), r"<asynchronous suspension>", "dart.frames", "<asynchronous suspension>"),
)

ROWS = (*RUST, *CPP, *DART)
