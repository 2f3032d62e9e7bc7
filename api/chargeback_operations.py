"""What the desk's keys can ask about chargebacks."""

from api import chargeback_shapes as shapes
from api.operation import CHANGE, Operation
from api.shapes import Nothing

_ANY = "/desk/chargebacks"

DESK = (
    Operation("get", _ANY, "listChargebacks", "List chargebacks, the last opened first",
              shapes.ChargebackPage, (401, 403, 422, 429), query=shapes.ChargebackQuery,
              token="staffKey", scope="chargebacks:read"),
    Operation("get", f"{_ANY}/{{chargeback_id}}", "showChargeback",
              "Show a chargeback with its bills and our evidence", shapes.ChargebackAnswer,
              (401, 403, 404, 429), token="staffKey", scope="chargebacks:read"),
    Operation("post", f"{_ANY}/{{chargeback_id}}/evidence", "keepEvidence",
              "Keep our evidence as a draft", shapes.ChargebackAnswer, (401, 403, *CHANGE),
              takes=shapes.EvidenceKeep, has_key=True, token="staffKey", scope="chargebacks:write"),
    Operation("post", f"{_ANY}/{{chargeback_id}}/evidence/send", "sendEvidence",
              "Send the draft to the network, for good", shapes.ChargebackAnswer,
              (401, 403, *CHANGE), takes=Nothing, takes_nothing_too=True, has_key=True,
              token="staffKey", scope="chargebacks:write"),
)  # fmt: skip
