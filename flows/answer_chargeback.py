"""Staff answer the network about a chargeback: a draft is kept, let go once, and handed to the processor.

Pictures are written anew and stored before the commit that names them. What goes to the processor goes in a
job: what fails is tried again, and what it refuses is a draft again, with the reason.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from core.kernel import crash
from core.kernel.errors import Invalid
from core.kernel.pictures import EXTENSIONS, Picture, PictureRefused, reencode
from flows import hear_chargeback
from flows.house import House
from payments import chargebacks, evidence
from payments.chargebacks import ChargebackRow
from payments.evidence import ChargebackFile, Draft
from payments.gateway import InvalidRequest
from payments.network import EvidenceFile, EvidenceRequest

#: No picture of a phone is larger; no side of what is sent is longer.
MOST_PIXELS = 64_000_000
LONGEST_SIDE = 1800


@dataclass(frozen=True)
class Wish:
    """What the draft shall be. ``files``: bytes as they were sent, by what they show, in place of those that
    are there; ``without``: which shall be taken out."""

    text: str
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    without: Collection[str] = ()


def keep(house: House, public_id: str, wish: Wish, actor: str) -> None:
    """Keep a draft. Raises NotFound, EvidenceOver, and Invalid by field."""
    with house.db.reading() as session:
        chargebacks.one(session, public_id)
    files = {kind: _picture(house, kind, data) for kind, data in wish.files.items()}
    crash.point("evidence.files_stored")

    def work(session: Session) -> None:
        draft = Draft(wish.text, actor, files, wish.without)
        evidence.keep(session, _locked(session, public_id), draft, house.clock.now())

    house.db.run_tx(work)


def send(house: House, public_id: str, actor: str) -> None:
    """Let the draft go to the network, for good. Raises NotFound, EvidenceOver and NothingToSend."""

    def work(session: Session) -> None:
        evidence.let_go(session, _locked(session, public_id), actor, house.clock.now())

    house.db.run_tx(work)


def hand_over(house: House, chargeback_id: uuid.UUID, tries: int) -> None:
    """Give what was let go to the processor; done already, it is no change. Raises GatewayError.

    Its pictures go first, each once. What the processor refuses is a draft again.
    """
    with house.db.reading() as session:
        row = session.get_one(ChargebackRow, chargeback_id)
        ours, files = evidence.of(session, row.id), evidence.files_of(session, row.id)
    if ours is None or ours.state != "sending" or ours.tries != tries:
        return
    try:
        # A key is forgotten after a day: whether the network has it is asked first.
        if not house.gateway.get_chargeback(row.gateway_id).answered:
            told = {one.kind: _upload(house, one) for one in files}
            key = f"evidence-{row.public_id}-{tries}"
            house.gateway.submit_evidence(EvidenceRequest(key, row.gateway_id, ours.text, told))
    except InvalidRequest as error:
        why = str(error)
        house.db.run_tx(lambda session: evidence.note_refused(session, chargeback_id, why))
        return
    crash.point("evidence.handed_over")
    house.db.run_tx(lambda s: evidence.note_sent(s, chargeback_id, house.clock.now()))
    hear_chargeback.hear(house, row.gateway_id)


def _upload(house: House, row: ChargebackFile) -> str:
    if row.gateway_id is not None:
        return row.gateway_id
    name = f"{row.kind}.{EXTENSIONS[row.media_type]}"
    file = EvidenceFile(f"evidence-file-{row.public_id}", name, house.blobs.get(row.sha256))
    gateway_id = house.gateway.upload_evidence(file)
    house.db.run_tx(lambda session: evidence.note_upload(session, row.id, gateway_id))
    return gateway_id


def _picture(house: House, kind: str, data: bytes) -> tuple[str, Picture]:
    """A stranger's picture, written anew and stored. Invalid, by what it shows, when it is refused."""
    try:
        picture = reencode(
            data,
            max_bytes=house.rules.disputes.file_bytes,
            max_pixels=MOST_PIXELS,
            max_side=LONGEST_SIDE,
        )
    except PictureRefused as error:
        raise Invalid({kind: str(error)}) from None
    if kind not in evidence.KINDS or picture.media_type not in evidence.MEDIA_TYPES:
        raise Invalid({kind: "The network reads JPEG and PNG. Send a photo or screenshot as one."})
    return house.blobs.put(picture.data), picture


def _locked(session: Session, public_id: str) -> ChargebackRow:
    return chargebacks.lock(session, ChargebackRow.public_id == public_id)
