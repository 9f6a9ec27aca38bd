import pytest

from local.running import Running


@pytest.mark.parametrize(
    ("url", "address"), [("http://127.0.0.1:9200", "127.0.0.1:9200"), ("http://localhost", "localhost:80")]
)
def test_the_address_names_host_and_port(url: str, address: str) -> None:
    assert Running("x", "1", url).address == address
