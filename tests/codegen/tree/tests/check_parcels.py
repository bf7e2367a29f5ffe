"""What the trace finds: one test that names an operation, and a helper that does not count."""


def parcel_helper() -> str:
    return "recallParcel"


def test_sending() -> None:
    assert len("sendParcel") > 1
