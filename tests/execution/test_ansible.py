"""Imported text in front of the real Ansible: shown, and never run."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import msgspec

from govcloud.execution import files
from govcloud.execution.attempt import SUPERVISOR
from govcloud.execution.scene import Job, environment, write_private


def test_a_template_in_imported_text_is_shown_and_never_run(tmp_path: Path) -> None:
    """F29: without the mark the lookup would run a command on the controller."""
    canary = tmp_path / "canary"
    bad = "{{ lookup('pipe', 'touch " + str(canary) + "') }}"
    play, kept = tmp_path / "play", tmp_path / "attempt"
    kept.mkdir()
    tasks = [
        {"name": "Show", "ansible.builtin.copy": {"content": "{{ spec.name }}", "dest": str(tmp_path / "shown")}},
        {
            "name": "Show each", "ansible.builtin.copy": {"content": "{{ item.name }}", "dest": str(tmp_path / "each")},
            "loop": "{{ target }}", "loop_control": {"label": "{{ item.name }}"},
        },
    ]  # fmt: skip
    book = tmp_path / "apply.yml"
    book.write_text(
        json.dumps(
            [
                {
                    "name": "Case",
                    "hosts": "systems",
                    "gather_facts": False,
                    "tasks": [{**t, "delegate_to": "govcloud"} for t in tasks],
                }
            ]
        )
    )
    variables = {"spec": {"name": bad}, "target": [{"name": bad, "host": "govcloud"}]}
    control = write_private(play, [], {}, {"systems": {"SL-OA-01": variables}})
    job = Job(folder=play, playbook=book, folders={"SL-OA-01": kept}, timeouts_s={"SL-OA-01": 60}, control=control)
    files.write_json(play / "job.json", msgspec.to_builtins(job, enc_hook=str))
    subprocess.run([*SUPERVISOR, str(play)], env=environment(play, "m"), check=True, timeout=100)
    result = json.loads((kept / "result.json").read_text())
    assert (result["status"], result["proven"]) == ("ok", 2), result
    assert (tmp_path / "shown").read_text() == (tmp_path / "each").read_text() == bad
    assert not canary.exists()
    # Working files are no evidence, and nothing of the run is left in the system's folder for temporary files.
    assert not (play / "private" / "scratch").exists() and not control.exists()
    listed = json.loads((play / "evidence.json").read_text())
    assert "artifacts/play/stdout" in listed and "job.json" in listed
    assert not os.access(play / "artifacts" / "play" / "stdout", os.W_OK) or os.getuid() == 0
