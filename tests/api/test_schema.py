"""The OpenAPI document is true: what schemathesis makes from it is answered as it says, and what it forbids is refused."""

import os
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest
from schemathesis import Case, engine, openapi
from schemathesis.auths import AuthContext
from schemathesis.config import (
    CoveragePhaseConfig,
    GenerationConfig,
    OperationConfig,
    OperationsConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.core.failures import Failure
from schemathesis.engine.events import NonFatalError, PhaseFinished, ScenarioFinished
from schemathesis.filters import FilterSet
from schemathesis.schemas import BaseSchema

from bot.access import Role
from bot.audience import Audience
from bot.broadcasts import desk
from bot.broadcasts.desk import Actor, Draft
from bot.messages import Message, Words
from bot.simulator.demo import Demo
from tests import crowd
from tests.api.program import ROOT, Program
from tests.crowd import Patient

EXAMPLES = int(os.environ.get("API_EXAMPLES", "1"))
"""Requests of each kind for each operation that are made up; those at the edges of every value come besides. With more than
4 the edges of a draft are tried in an edit, too, which takes the same as a new draft."""


def described(demo: Demo) -> BaseSchema:
    """The document as it is served, with a token that is another one each time: one alone would be slowed down."""
    keys = cycle([Program(demo).key for _ in range(60)])
    same = FilterSet()
    same.include(operation_id="edit_broadcast")
    spared = OperationConfig(filter_set=same, phases=PhasesConfig(coverage=CoveragePhaseConfig(enabled=EXAMPLES > 4)))
    project = ProjectConfig(
        generation=GenerationConfig(max_examples=EXAMPLES, deterministic=True, database="none"),
        operations=OperationsConfig(operations=[spared]),
    )
    config = SchemathesisConfig(seed=7, projects=ProjectsConfig(default=project))
    first = {"Authorization": f"Bearer {next(keys)}"}
    schema = openapi.from_url(f"{demo.url}{ROOT}/openapi.json", headers=first, config=config)

    @schema.auth(refresh_interval=None)
    class Token:
        def get(self, case: Case[Any], context: AuthContext) -> str:
            return next(keys)

        def set(self, case: Case[Any], data: str, context: AuthContext) -> None:
            case.headers["Authorization"] = f"Bearer {data}"

    return schema


def failures(scenario: ScenarioFinished) -> Iterator[str]:
    for case_id, checks in scenario.recorder.checks.items():
        sent = scenario.recorder.interactions.get(case_id)
        for check in checks:
            if check.failure_info is not None:
                failure: Failure = check.failure_info.failure
                asked = sent and (sent.request.method, sent.request.uri, sent.request.body)
                answered = sent and sent.response and sent.response.content
                yield f"{scenario.recorder.label}: {check.name}: {failure}: {asked}: {answered!r}"


@pytest.mark.timeout(300)
def test_schemathesis_runs_clean_against_the_document(small_demo: Demo) -> None:
    runtime = small_demo.bot.runtime
    crowd.add(runtime.db, [Patient(), Patient(locale="en"), Patient(consent=False)])
    words = {locale: Message((Words("こまめに"),)) for locale in ("ja", "en")}
    desk.create(runtime, Actor("sample", Role.OWNER), Draft("sample", words, Audience()))  # type: ignore[arg-type]
    found, tried, phases = list[str](), 0, list[tuple[str, str]]()
    for event in engine.from_schema(described(small_demo)).execute():
        match event:
            case ScenarioFinished():
                tried += len(event.recorder.checks)
                found += failures(event)
            case NonFatalError():
                found.append(f"{event.label}: {event.info.format()}")
            case PhaseFinished():
                phases.append((event.phase.name.value, event.status.value))
            case _:
                pass
    assert found == []
    assert tried > 1000
    assert not {"coverage", "fuzzing", "stateful"} - {name.lower() for name, ended in phases if ended == "success"}
