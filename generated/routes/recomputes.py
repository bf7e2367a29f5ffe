# @generated from api-contracts/openapi/v1/recomputes.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""Entry points of the recomputes contract."""

from uuid import UUID

from generated.models.recomputes import FingerprintExplanation
from generated.stubs import Answer
from handlers import recomputes as handlers
from skeldir.http.answers import HttpAnswer
from skeldir.http.boundary import Call
from skeldir.http.context import Context
from skeldir.http.convert import required


def explain_fingerprint(call: Call) -> HttpAnswer:
    """GET /api/attribution/recompute-jobs/{job_id}/explanation."""
    sent = call.parameters
    job_id = required(sent, "path.job_id", UUID)

    def handle(ctx: Context) -> Answer[FingerprintExplanation]:
        return handlers.explain_fingerprint(ctx, job_id=job_id)

    return call.run(handle, transaction="read", status=200)
