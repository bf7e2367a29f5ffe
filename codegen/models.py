"""Runs datamodel-code-generator on one contract and what it refers to; one module comes out."""

import json
import posixpath
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path

from codegen.findings import ContractError, Finding
from codegen.refs import Json, Target, references, rewrite, target_of
from codegen.sources import Source
from codegen.versions import header

OPENAPI = {"openapi": "3.1.0", "info": {"title": "staged", "version": "1"}, "paths": {}}
BASE_CLASS = "skeldir.contract_model.ContractModel"


def module_path(contract: str) -> str:
    """Return where a contract's models go, below generated/models, without `.py`."""
    folder, _, name = contract.rpartition("/")
    if folder.startswith("_"):  # _common/schemas is common, _common/revenue is common_revenue
        return folder[1:] if name == "schemas" else f"{folder[1:]}_{name}".replace("-", "_")
    return contract.replace("-", "_")


def stage(source: Source, others: Iterable[Source]) -> dict[str, Json]:
    """Return what the models of a contract are made from: schemas by module, its own first.

    Of the other contracts only what is within reach is taken, so that a change elsewhere costs
    nothing. Vendor shapes are documentation of what others send: no model is made of them.
    """
    parts = {part.name: part for part in (source, *others)}
    chosen: dict[str, dict[str, Json]] = {name: {} for name in parts}
    queue = [Target(source.name, "schemas", name) for name in _schemas(source)]
    while queue:
        target = queue.pop(0)
        schema = _schemas(parts[target.contract]).get(target.name)
        if target.name in chosen[target.contract] or _is_vendors(schema):
            continue
        chosen[target.contract][target.name] = _staged(target.contract, schema)
        found = (target_of(target.contract, ref) for ref in references(schema))
        queue += [item for item in found if item and item.contract in parts]
    return {module_path(name): schemas for name, schemas in chosen.items()}


def _schemas(source: Source) -> dict[str, Json]:
    schemas: dict[str, Json] = source.document.get("components", {}).get("schemas", {})
    return schemas


def _is_vendors(schema: Json) -> bool:
    return isinstance(schema, dict) and bool(schema.get("x-vendor-shape"))


def _staged(contract: str, schema: Json) -> Json:
    """Return a schema whose references lead to the staged files."""
    here = posixpath.dirname(module_path(contract)) or "."

    def staged(ref: str) -> str:
        target = target_of(contract, ref)
        if target is None or target.contract == contract:
            return ref
        return posixpath.relpath(module_path(target.contract), here) + ".json" + target.local

    return rewrite(schema, staged)


def render_models(source: Source, others: Iterable[Source]) -> str:
    """Return the Python module of a contract's models.

    Raises ContractError when the generator cannot make models of the contract.
    """
    modules = stage(source, others)
    module = module_path(source.name)
    if not modules[module]:
        return f'{header(source.path)}\n"""The {source.name} contract has no models of its own."""\n'
    with tempfile.TemporaryDirectory(prefix="codegen-") as folder:
        for name, schemas in modules.items():
            if schemas:
                document = {**OPENAPI, "components": {"schemas": schemas}}
                file = Path(folder, f"{name}.json")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(json.dumps(document), "utf-8")
        try:
            texts = _generate(Path(folder), header(source.path))
        except Exception as error:  # the generator raises what it likes; the contract is named instead
            message = " ".join(str(error).replace(folder, "").split())[:400]
            raise ContractError([Finding(source.name, "models", "models", message)]) from error
    return texts[*f"{module}.py".split("/")]


def _generate(folder: Path, head: str) -> dict[tuple[str, ...], str]:
    import datamodel_code_generator as dcg  # noqa: PLC0415  costs a second; not needed when nothing changed
    from datamodel_code_generator.enums import DataModelType  # noqa: PLC0415
    from datamodel_code_generator.format import Formatter, PythonVersion  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # e.g. a constraint that Python's type cannot carry
        modules = dcg.generate(
            folder,
            input_file_type=dcg.InputFileType.OpenAPI,
            output_model_type=DataModelType.PydanticV2BaseModel,
            target_python_version=PythonVersion.PY_311,
            target_pydantic_version=dcg.TargetPydanticVersion.V2_14,
            disable_timestamp=True,
            formatters=[Formatter.BUILTIN],
            use_annotated=True,
            strict_nullable=True,
            enum_field_as_literal=dcg.LiteralType.All,
            use_schema_description=True,
            collapse_root_models=True,
            use_missing_sentinel=True,
            use_double_quotes=True,
            base_class=BASE_CLASS,
            strict_refs=True,
            allow_remote_refs=False,
            # Pydantic's URL and e-mail types change what they hold; JSON Schema has judged it already.
            type_mappings=["string+uri=string", "string+uri-reference=string", "string+email=string"],
            custom_file_header=head,
        )
    if not isinstance(modules, dict):
        message = "the generator gave one module where a package was asked for"
        raise TypeError(message)
    return {path: _tidied(text) for path, text in modules.items()}


def _tidied(text: object) -> str:
    return str(text).rstrip("\n") + "\n"
