# @generated from api-contracts/openapi/v1/health.yaml by codegen. Do not edit; run: tox run -e codegen
# Generators: datamodel-code-generator 0.89.0, prance 26.7.19.0.
"""The health contract has no models of its own."""
