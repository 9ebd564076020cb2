"""A GitHub Actions workflow that tries a crate on every base, and the list of cells that it makes a job of each. Pure.

The format is that of https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax.
"""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import PurePath

    from bareboat.plan.jobs import Cell, Plan

_WORKFLOW = """\
# {sample} on every base, for .github/workflows/bareboat.yml; {cell} is one of them
name: bareboat
on:
  push:
    branches: [main]
  pull_request:
  workflow_dispatch:
permissions:
  contents: read
concurrency:
  group: ${{{{ github.workflow }}}}-${{{{ github.ref }}}}
  cancel-in-progress: true
defaults:
  run:
    working-directory: {folder}
jobs:
  plan:
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    outputs:
      cells: ${{{{ steps.plan.outputs.cells }}}}
    steps:
      - uses: actions/checkout@v6
        with:
          persist-credentials: false
      - run: pipx install {requirement}
      - id: plan
        run: |
          bareboat plan --bases registry --format github{words} >"$RUNNER_TEMP/cells"
          echo "cells=$(cat "$RUNNER_TEMP/cells")" >>"$GITHUB_OUTPUT"
  cell:
    needs: plan
    name: ${{{{ matrix.recipe }}}}
    runs-on: ubuntu-24.04
    timeout-minutes: 60
    strategy:
      fail-fast: false
      matrix: ${{{{ fromJSON(needs.plan.outputs.cells) }}}}
    steps:
      - uses: actions/checkout@v6
        with:
          persist-credentials: false
      - run: pipx install {requirement}
      - name: let ordinary users make namespaces, as Ubuntu does only for programs that it knows
        run: sudo sysctl --write kernel.apparmor_restrict_unprivileged_userns=0
      - run: bareboat setup --yes
      - name: build, run and measure
        env:
          RECIPE: ${{{{ matrix.recipe }}}}
        run: |
          bareboat build-matrix --bases registry{words} --recipe "$RECIPE" \\
            --results "$RUNNER_TEMP/results" --format markdown >>"$GITHUB_STEP_SUMMARY"
      - uses: actions/upload-artifact@v6
        if: always()
        with:
          name: bareboat-${{{{ matrix.recipe }}}}
          path: ${{{{ runner.temp }}}}/results
"""


def render_workflow(cell: Cell, folder: PurePath, options: Sequence[str], version: str) -> str:
    """The workflow.

    `folder` is the crate's in its repository, `options` are those that name the program in it, and `version` is that of
    the Bareboat which it installs.
    """
    return _WORKFLOW.format(
        sample=cell.sample.name,
        cell=cell.id,
        folder=json.dumps(str(folder), ensure_ascii=False),
        requirement=f"bareboat=={version}",
        words="".join(f" {shlex.quote(option)}" for option in options),
    )


def list_cells(plan: Plan) -> str:
    """The plan's cells as a matrix of a job strategy, in one line of JSON."""
    cells = [{"cell": cell.id, "sample": cell.sample.name, "recipe": cell.recipe.name} for cell in plan.cells]
    return json.dumps({"include": cells})
