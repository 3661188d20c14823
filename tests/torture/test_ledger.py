"""The ledger finds what it is there to find."""

from tests.torture.ledger import Ledger, Row, Submission


def _row(submission: Submission, version: int, standing: str = "counted") -> Row:
    content = submission.sent[version]
    return content.comment, content.score, standing


def test_what_must_and_what_may_be_stored() -> None:
    ledger = Ledger()
    amended, in_doubt, gone = ledger.open(), ledger.open(), ledger.open()
    amended.write(3)
    amended.acknowledge()
    amended.write(4)
    in_doubt.write(5)
    gone.write(6)
    for version in (0, 1):
        assert ledger.find_faults([_row(amended, version), _row(in_doubt, 0)]) == []
    amended.acknowledge()
    assert ledger.find_faults([_row(amended, 1)]) == []
    assert ledger.acknowledged == 1


def test_each_kind_of_loss_is_named() -> None:
    ledger = Ledger()
    sent = ledger.open()
    sent.write(3)
    sent.acknowledge()
    sent.write(4)
    sent.acknowledge()
    twice = [_row(sent, 1), _row(sent, 1)]
    assert ledger.find_faults([]) == ["t-0 was acknowledged and is not stored"]
    assert ledger.find_faults(twice) == ["t-0 is stored 2 times"]
    assert "holds 't-0.0" in ledger.find_faults([_row(sent, 0)])[0]
    assert ledger.find_faults([_row(sent, 1), ("t-9.0 x", 1, "counted")]) == ["t-9 was never sent"]
    assert "nobody asked" in ledger.find_faults([_row(sent, 1, "excluded")])[0]
    sent.is_exclusion_sent = sent.is_exclusion_acknowledged = True
    assert ledger.find_faults([_row(sent, 1)]) == ["t-0 was left out, and is counted"]
