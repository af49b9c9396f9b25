"""What each command does, seen from outside: its data on stdout, its words on stderr, its exit code."""

from __future__ import annotations

import io
import json
import os
import re
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

import stackroom
from cli.calling import all_on_terminal, process
from cli.test_reference import check
from stackroom.cli import main
from support.registries import artifacts, plant_revision, set_policy, tree, unseal
from support.users import User, run_as

if TYPE_CHECKING:
    from pathlib import Path

    from cli.calling import Cli


# --- init, new


def test_init_makes_a_registry_and_prints_what_it_set(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "mine"
    answer = cli.ok("init", path, "--name", "mine", "--stage", "canary", "--stage", f"live={os.getegid()}")
    assert "MODE\tOWNER\tGROUP\tPATH" in answer.out
    assert "\tstages/canary/\n" in answer.out
    assert stackroom.open(path).stages == ("canary", "live")
    assert stackroom.open(path).name == "mine"


def test_init_on_a_registry_tells_what_differs_and_changes_nothing(cli: Cli, registry_path: Path) -> None:
    before = tree(registry_path)
    answer = cli.ok("init", registry_path)
    assert "as it should be; nothing was changed" in answer.err
    assert cli.ok("init", registry_path, "--stage", "staging", "--stage", "production").out == answer.out
    answer = cli("init", registry_path, "--stage", f"staging={os.getegid()}", "--stage", "canary")
    assert answer.code == 6
    assert "stages/staging\t3775\t0755\t" in answer.out
    assert f"  chmod 3775 {registry_path}/stages/staging\n" in answer.err
    assert "stages/canary\t0755\t-\tis missing" in answer.out
    assert "registry.toml declares the stage production, which was not asked for" in answer.out
    document = cli.json("init", registry_path, "--stage", "staging", "--stage", "canary", "--stage", "production")
    assert [(one["kind"], one["path"]) for one in document["differences"]] == [
        ("stage-undeclared", "registry.toml"),
        *(("missing", f"{parent}/canary") for parent in ("stages", "live", "approvals")),
    ]
    assert document["commands"][0] == f"printf '\\n[stages.\"canary\"]\\n' >> {registry_path}/registry.toml"
    assert tree(registry_path) == before


def test_init_dry_run_makes_nothing_and_still_refuses_what_would_fail(cli: Cli, tmp_path: Path) -> None:
    assert "nothing was made" in cli.ok("init", tmp_path / "new", "--dry-run").err
    assert not (tmp_path / "new").exists()
    assert cli("init", cli.registry, "--dry-run", "--strict", "--authors", "62001").code == 6
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    assert cli("init", tmp_path / "full", "--dry-run").code == 8


@pytest.mark.root
def test_init_without_a_group_prints_what_an_administrator_runs(reachable_path: Path) -> None:
    reachable_path.chmod(0o777)
    path = reachable_path / "registry"
    somebody = User(uid=61_000, gid=61_000)

    def attempt(*more: str) -> list[object]:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main.run(["init", str(path), "--monitors", "62004", *more], lambda _paths: 0)
        return [code, out.getvalue(), err.getvalue()]

    for dry in ((), ("--dry-run",)):
        code, out, err = run_as(somebody, lambda dry=dry: attempt(*dry))  # type: ignore[misc]  # a lambda with a default
        assert (code, out) == (4, "")
        lines = str(err).split("\n")
        assert "error: you are not in 62004" in lines[0]
        assert [line.strip() for line in lines if line.startswith("  ")] == [
            "usermod -aG 62004 61000",
            f"(umask 022; mkdir -p {path} {path}/observations)",
            f"chown -h 61000 {path} {path}/observations",
            f"chgrp -h 62004 {path}/observations",
            f"chmod 00755 {path}",
            f"chmod 3775 {path}/observations",
        ]
    document = json.loads(str(run_as(somebody, lambda: attempt("--json"))[1]))
    check("error", document)
    assert [len(recipe["commands"]) for recipe in document["error"]["recipes"]] == [1, 5]


def test_can_warns_of_a_ledger_that_is_not_sticky(fraud: Cli) -> None:
    (fraud.registry / "stages/staging").chmod(0o2775)
    answer = fraud.ok("can", "fraud:2", "staging")
    assert "warning: " in answer.err
    assert "without the sticky bit: every member of" in answer.err
    [warning] = fraud.json("can", "fraud:2", "staging")["warnings"]
    assert warning["kind"] == "not-sticky"


@pytest.mark.parametrize(
    "argv",
    [("--private",), ("--readers", "0"), ("--stage", "Bad Name"), ("--authors", "no-such-group-here")],
    ids=" ".join,
)
def test_init_refuses_what_cannot_be_meant(cli: Cli, tmp_path: Path, argv: tuple[str, ...]) -> None:
    assert cli("init", tmp_path / "new", *argv).code in {2, 8}
    assert not (tmp_path / "new").exists()


def test_new_makes_a_model_once(cli: Cli) -> None:
    answer = cli.ok("new", "fraud", "--description", "payments", "--team", "risk", "--tag", "eu")
    assert answer.out == "fraud\n"
    assert cli.json("show", "fraud")["model"]["metadata"] == {
        "team": "risk",
        "description": "payments",
        "tags": ["eu"],
    }
    assert cli("new", "fraud").code == 6
    assert cli("new", "Fraud Detector").code == 8


# --- register


def test_register_prints_the_reference_and_nothing_else_on_stdout(cli: Cli, source: Path) -> None:
    assert cli.ok("register", "fraud", source).out == "fraud:1\n"


def test_register_takes_everything_that_its_options_say(cli: Cli, source: Path, tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text("# card\n")
    cli.ok("register", "fraud", source)
    cli.ok(
        *("register", "fraud", source, "--metric", "auc=0.93", "--metric", "n=3"),
        *("--param", "lr=0.05", "--param", "trees=100", "--param", "warm=true", "--param", "kind=gbdt"),
        *("--param", "zip=007", "--dataset", "name=tx,uri=nfs:/a,b,digest=xxh128:00,split=test,rows=12"),
        *("--card", card, "--label", "2.0.0", "--description", "what", "--tag", "a", "--tag", "k=v"),
        *("--team", "risk", "--author", "ana", "--license", "MIT", "--framework", "x 1", "--parent", "fraud:latest"),
    )
    version = cli.json("show", "fraud:2.0.0")["version"]
    said = version["metadata"]
    assert said["metrics"] == {"auc": 0.93, "n": 3}
    assert said["hyperparameters"] == {"lr": 0.05, "trees": 100, "warm": True, "kind": "gbdt", "zip": "007"}
    assert said["datasets"] == [{"name": "tx", "uri": "nfs:/a,b", "digest": "xxh128:00", "split": "test", "rows": 12}]
    assert said["lineage"] == {"parents": ["fraud:1"]}
    assert (said["author"], said["team"], said["license"], said["framework"]) == ("ana", "risk", "MIT", "x 1")
    assert (said["description"], said["tags"]) == ("what", ["a", "k=v"])
    assert version["labels"] == ["2.0.0"]
    assert cli.json("show", "fraud:2")["card"] == "# card\n"


def test_register_reads_metadata_from_a_file_and_options_win(cli: Cli, source: Path, tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('description = "from the file"\nteam = "risk"\n[metrics]\nauc = 0.9\nf1 = 0.8\n')
    cli.ok("register", "fraud", source, "--metadata", file, "--metric", "auc=0.95", "--description", "from me")
    said = cli.json("show", "fraud:1")["version"]["metadata"]
    assert (said["description"], said["team"], said["metrics"]) == ("from me", "risk", {"auc": 0.95, "f1": 0.8})


def test_register_reads_json_too(cli: Cli, source: Path, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_text(json.dumps({"metrics": {"auc": 0.9}, "tags": ["x"]}))
    cli.ok("register", "fraud", source, "--metadata", file)
    assert cli.json("show", "fraud:1")["version"]["metadata"]["metrics"] == {"auc": 0.9}


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("run.toml", "[metrics]\nauc = 'high'\n", ":2: metrics.auc"),
        ("run.toml", "a = [\n", "not TOML"),
        ("run.toml", "format = 1\n", ":1: format"),
        ("run.json", '{"metrics": {\n"auc": }}', ":2: not JSON"),
        ("run.json", '{"metrics": {"auc": null}}', "metrics.auc: null"),
        ("run.json", "[]", "expected a table"),
        ("run.json", '{"hyperparameters": {"n": 99999999999999999999}}', "64 bits"),
    ],
)
def test_a_wrong_metadata_file_is_refused_with_its_place(
    cli: Cli, source: Path, tmp_path: Path, name: str, text: str, place: str
) -> None:
    file = tmp_path / name
    file.write_text(text)
    answer = cli("register", "fraud", source, "--metadata", file)
    assert answer.code == 8
    assert f"{name}" in answer.err
    assert place in answer.err
    assert cli.json("list")["models"] == []


@pytest.mark.parametrize(
    "argv",
    [
        ("--metric", "auc"),
        ("--metric", "auc=high"),
        ("--metric", "=1"),
        ("--dataset", "uri=x"),
        ("--dataset", "name=x,size=3"),
        ("--dataset", "name=x,rows=many"),
        ("--if-exists", "maybe"),
    ],
    ids=" ".join,
)
def test_register_refuses_options_that_make_no_sense(cli: Cli, source: Path, argv: tuple[str, ...]) -> None:
    assert cli("register", "fraud", source, *argv).code == 2


def test_register_wants_its_parents_to_exist(cli: Cli, source: Path) -> None:
    assert cli("register", "fraud", source, "--parent", "fraud:9").code == 3
    assert cli.json("list")["models"] == []


def test_register_again_is_idempotent_where_that_is_asked_for(cli: Cli, source: Path) -> None:
    cli.ok("register", "fraud", source)
    again = cli.ok("register", "fraud", source, "--if-exists", "skip", "--label", "1.0.0")
    assert again.out == "fraud:1\n"
    assert cli.ok("path", "fraud:1.0.0").out == cli.ok("path", "fraud:1").out
    assert cli("register", "fraud", source, "--if-exists", "fail").code == 6
    assert cli.ok("register", "fraud", source).out == "fraud:2\n"


def test_register_with_move_leaves_nothing_where_it_was(cli: Cli, source: Path) -> None:
    cli.ok("register", "fraud", source, "--move")
    assert not (source / "model.bin").exists()
    cli.ok("verify", "fraud:1")


def test_register_refuses_symlinks_unless_they_are_to_be_followed(cli: Cli, source: Path) -> None:
    (source / "link").symlink_to(source / "model.bin")
    assert cli("register", "fraud", source).code == 8
    cli.ok("register", "fraud", source, "--follow")


def test_sources_and_options_may_be_mixed(cli: Cli, source: Path) -> None:
    cli.ok("register", "fraud", source / "model.bin", "--metric", "auc=0.9", source / "sub")
    assert {file["path"] for file in cli.json("show", "fraud:1")["artifacts"]} == {"model.bin", "vocab.txt"}


def test_a_label_is_given_once_and_never_moves(fraud: Cli) -> None:
    assert fraud.ok("label", "fraud:2", "2.0.0").out == "fraud:2.0.0\n"
    assert "already" in fraud.ok("label", "fraud:2", "2.0.0").err
    assert fraud("label", "fraud:1", "2.0.0").code == 6
    assert fraud("label", "fraud:1", "17").code == 8


# --- list, search, show, path


def test_list_shows_models_with_their_stages_and_metrics(fraud: Cli) -> None:
    head, row = fraud.ok("list").out.splitlines()
    values = dict(zip(head.split("\t"), row.split("\t"), strict=True))
    assert (values["MODEL"], values["VERSIONS"], values["LATEST"]) == ("fraud", "2", "2")
    assert (values["STAGING"], values["PRODUCTION"]) == ("1", "-")
    assert values["METRICS"] == "auc=0.93 latency_ms=14"


def test_list_of_an_empty_registry_says_how_to_begin(cli: Cli) -> None:
    assert "register" in cli.ok("list").err


def test_list_of_a_model_shows_its_versions_newest_first(fraud: Cli) -> None:
    lines = fraud.ok("list", "fraud", "--columns", "version,labels,state,auc,lr").out.splitlines()
    assert lines == ["VERSION\tLABELS\tSTATE\tAUC\tLR", "2\t-\tdevelopment\t0.93\t0.2", "1\t1.0.0\tstaging\t0.91\t0.1"]


def test_list_chooses_and_sorts(fraud: Cli) -> None:
    def numbers(*argv: str) -> list[int]:
        return [version["version"] for version in fraud.json("list", "fraud", *argv)["versions"]]

    assert numbers("--sort", "auc") == [1, 2]
    assert numbers("--sort", "-metrics.auc") == [2, 1]
    assert numbers("--where", "auc > 0.92") == [2]
    assert numbers("--stage", "staging") == [1]
    fraud.ok("archive", "fraud:2")
    assert numbers() == [1]
    assert numbers("--archived") == [2, 1]
    assert [model["model"] for model in fraud.json("list", "--stage", "production")["models"]] == []
    assert [model["model"] for model in fraud.json("list", "--where", "auc > 0.92")["models"]] == ["fraud"]
    assert [model["model"] for model in fraud.json("list", "--sort", "-versions")["models"]] == ["fraud"]


@pytest.mark.parametrize(
    "argv",
    [
        ("list", "--sort", "metrics.acu"),
        ("list", "fraud", "--sort", "nothing"),
        ("list", "fraud", "--columns", "acu"),
        ("list", "--columns", "acu"),
        ("list", "fraud:1"),
        ("search", "", "--limit", "-1"),
        ("search", "", "--sort", "acu"),
    ],
    ids=" ".join,
)
def test_a_field_that_nothing_has_is_a_typing_error(fraud: Cli, argv: tuple[str, ...]) -> None:
    assert fraud(*argv).code == 2


def test_search_finds_versions_over_all_models(fraud: Cli, source: Path) -> None:
    fraud.ok("register", "churn", source, "--metric", "auc=0.8")
    answer = fraud.json("search", "auc > 0.5", "--sort", "-auc", "--limit", "2")
    assert answer["total"] == 3
    assert [version["ref"] for version in answer["versions"]] == ["fraud:2", "fraud:1"]
    assert fraud.ok("search", "auc > 2").err == "no version is like that\n"
    said = "no version is like that\nno version says anything of metrics.acu\n"
    assert fraud.ok("search", "auc > 0 and metrics.acu > 2").err == said
    assert fraud("search", "created > yesterday").code == fraud("list", "--where", "size > big").code == 8
    assert fraud("search", "auc >").code == 8
    assert "churn:1" in fraud.ok("search").out


def test_show_a_version_shows_everything_about_it(fraud: Cli) -> None:
    text = fraud.ok("show", "fraud:2").out
    for wanted in ("fraud:2", "parents", "fraud:1", "auc", "lr", "transactions", "model.bin", "Scores payments."):
        assert wanted in text
    first = fraud.json("show", "fraud@staging")
    assert first["children"] == ["fraud:2"]
    assert [stage["stage"] for stage in first["stages"]] == ["staging"]


def test_show_a_model_shows_its_stages_and_versions(fraud: Cli) -> None:
    text = fraud.ok("show", "fraud").out
    assert "2 versions" in text
    assert "the first one" in text
    assert len(fraud.json("show", "fraud")["versions"]) == 2


def test_path_prints_a_folder_that_a_script_can_use(fraud: Cli) -> None:
    printed = fraud.ok("path", "fraud@staging").out
    assert printed == f"{fraud.registry}/models/fraud/1\n"
    assert fraud.ok("path", "fraud").out == f"{fraud.registry}/models/fraud\n"


# --- diff


def test_diff_says_who_is_better_in_words(fraud: Cli) -> None:
    text = fraud.ok("diff", "fraud:1", "fraud:2").out
    assert "auc\thigher\t0.91\t0.93*\t+0.02\t+2.2%\t▲ better" in text
    assert "latency_ms (ms)\tlower\t12*\t14\t+2\t+16.7%\t▼ worse" in text
    assert "fraud:2 against fraud:1: better in 1, worse in 1 of 2 metrics" in text
    assert "+Scores payments." in text
    assert "transactions" not in text
    assert "transactions" in fraud.ok("diff", "fraud:1", "fraud:2", "--all").out


def test_diff_in_markdown_escapes_what_markdown_would_obey(fraud: Cli) -> None:
    fraud.ok("edit", "fraud:2", "--set", "description=a | b <script> @all `x`")
    text = fraud.ok("diff", "fraud:1", "fraud:2", "--markdown").out
    assert "a \\| b &lt;script> &#64;all \\`x\\`" in text
    assert "| metric | better is | fraud:1 | fraud:2 | change | outcome |" in text
    assert "```diff" in text


def test_diff_writes_the_text_of_another_program(fraud: Cli) -> None:
    sheet = fraud.ok("diff", "fraud:1", "fraud:2", "--format", "csv").out.splitlines()
    assert sheet[0] == "part,name,better,unit,fraud:1,fraud:2,fraud:2 change,fraud:2 ratio,fraud:2 outcome,note"
    assert sheet[1].startswith("metrics,auc,higher,,0.91,0.93,0.02")
    assert (
        fraud.ok("diff", "fraud:1", "fraud:2", "--format", "json").out
        == fraud.ok("diff", "fraud:1", "fraud:2", "--json").out
    )
    assert (
        fraud.ok("diff", "fraud:1", "fraud:2", "--format=markdown").out
        == fraud.ok("diff", "fraud:1", "fraud:2", "--markdown").out
    )
    assert fraud("diff", "fraud:1", "fraud:2", "--format", "xml").code == 2


def test_diff_wants_two_versions(fraud: Cli) -> None:
    assert fraud("diff", "fraud:1").code == 2
    assert fraud("diff", "fraud:1", "fraud:9").code == 3


# --- edit, log, revert, archive


def test_edit_sets_and_unsets_fields_in_their_own_types(fraud: Cli) -> None:
    answer = fraud.ok(
        *("edit", "fraud:2", "--set", "metrics.auc=1", "--set", "tags=a, b", "--set", "description=2024"),
        *("--set", "hyperparameters.depth=3", "--set", "lineage.parents=fraud:1", "--unset", "metrics.latency_ms"),
        *("--reason", "measured again"),
    )
    assert answer.out == "fraud:2 1\n"
    said = fraud.json("show", "fraud:2")["version"]["metadata"]
    assert said["metrics"] == {"auc": 1}
    assert (said["tags"], said["description"], said["hyperparameters"]["depth"]) == (["a", "b"], "2024", 3)
    assert fraud.json("log", "fraud:2")["revisions"][-1]["reason"] == "measured again"


def test_an_edit_that_changes_nothing_writes_nothing(fraud: Cli) -> None:
    before = tree(fraud.registry)
    assert "nothing was changed" in fraud.ok("edit", "fraud:1", "--set", "description=the first").err
    assert tree(fraud.registry) == before


def test_edit_takes_a_card_and_a_whole_record_from_files(fraud: Cli, tmp_path: Path) -> None:
    card, record = tmp_path / "new.md", tmp_path / "new.toml"
    card.write_text("# new\n")
    record.write_text('description = "all of it"\n')
    fraud.ok("edit", "fraud:1", "--card", card, "--metadata", record)
    shown = fraud.json("show", "fraud:1")
    assert shown["card"] == "# new\n"
    assert shown["version"]["metadata"] == {"description": "all of it"}
    assert fraud("edit", "fraud:1", "--card", tmp_path / "missing.md").code == 3
    card.write_bytes(b"\xff\xfe")
    assert fraud("edit", "fraud:1", "--card", card).code == 8


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("--set", "artifacts.digest=x"), 8),
        (("--set", "metrics.auc=high"), 2),
        (("--unset", "nothing.here"), 8),
        (("--editor", "--set", "a=b"), 2),
        ((), 2),
    ],
)
def test_edit_refuses_what_cannot_be(fraud: Cli, argv: tuple[str, ...], code: int) -> None:
    before = tree(fraud.registry)
    assert fraud("edit", "fraud:1", *argv).code == code
    assert tree(fraud.registry) == before


def test_log_flags_a_borrowed_name_a_text_that_was_written_to_and_a_gap(fraud: Cli) -> None:
    for team in ("a", "b"):
        fraud.ok("edit", "fraud:1", "--set", f"team={team}")
    first = fraud.registry / "models/fraud/1@1.toml"
    first.chmod(0o644)
    first.write_text(first.read_text().replace("0.91", "0.99"))
    forged = plant_revision(fraud.registry, "fraud", 1, 'team = "c"\n', revision=4)
    forged.write_text(forged.read_text().replace(f'"{os.geteuid()}"', '"4711:eve"'))
    broken = plant_revision(fraud.registry, "fraud", 1, "[", revision=5)
    rows = {row["revision"]: row for row in fraud.json("log", "fraud:1")["revisions"]}
    assert "its text is not the one that 1@2.toml says it replaced: it is the file of" in rows[1]["flags"][0]
    assert rows[0]["flags"] == rows[2]["flags"] == []
    assert "says that 4711:eve wrote it, and it is the file of" in rows[4]["flags"][0]
    assert "a revision before it is missing" in rows[4]["flags"]
    assert rows[5]["problem"] is not None
    text = fraud.ok("log", "fraud:1").out
    assert "  flagged: says that 4711:eve" in text
    assert f"  broken: {broken.name}" in text


def test_log_shows_the_cards_of_versions_and_models(fraud: Cli, tmp_path: Path) -> None:
    card = tmp_path / "new.md"
    card.write_text("# fraud\n\nScores all payments.\nAnd more.\n")
    fraud.ok("edit", "fraud:2", "--card", card, "--reason", "more of it")
    shown = fraud.ok("log", "fraud:2").out
    assert "card 1  " in shown
    assert "  lines: -1 +2" in shown
    assert ": more of it" in shown
    assert [row["revision"] for row in fraud.json("log", "fraud:2")["cards"]] == [0, 1]
    fraud.ok("edit", "fraud", "--card", card)
    assert [row["file"] for row in fraud.json("log", "fraud")["cards"]] == ["model@1.md"]


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_metric_that_is_no_finite_number_is_not_written_and_an_old_one_stays(fraud: Cli, value: str) -> None:
    assert fraud("edit", "fraud:1", "--set", f"metrics.auc={value}").code == 8
    assert fraud("register", "fraud", fraud.registry.parent / "first", "--metric", f"auc={value}").code == 8
    plant_revision(fraud.registry, "fraud", 1, f"[metrics]\nauc = {value}\n")
    fraud.ok("edit", "fraud:1", "--set", "team=x")
    assert fraud.json("show", "fraud:1")["version"]["metadata"]["metrics"] == {"auc": value}
    fraud.ok("edit", "fraud:1", "--set", "metrics.auc=1")
    fraud.ok("revert", "fraud:1", "--to", "1")


def test_log_shows_what_each_revision_changed_and_revert_takes_it_back(fraud: Cli) -> None:
    fraud.ok("edit", "fraud:1", "--set", "description=worse", "--reason", "why not")
    assert "description: the first -> worse" in fraud.ok("log", "fraud:1").out
    fraud.ok("revert", "fraud:1", "--to", "0")
    assert fraud.json("show", "fraud:1")["version"]["metadata"]["description"] == "the first"
    assert [row["revision"] for row in fraud.json("log", "fraud:1")["revisions"]] == [0, 1, 2]
    assert fraud("revert", "fraud:1", "--to", "9").code == 3


def test_what_holds_a_stage_cannot_be_archived(fraud: Cli) -> None:
    assert fraud("archive", "fraud:1").code == 6
    fraud.ok("archive", "fraud:2", "--reason", "superseded")
    assert fraud.json("show", "fraud:2")["version"]["archived"] is True
    fraud.ok("archive", "fraud:2", "--undo")
    assert fraud.json("show", "fraud:2")["version"]["archived"] is False


# --- moves


def test_promote_prints_the_event_and_says_the_move(fraud: Cli) -> None:
    answer = fraud.ok("promote", "fraud:2", "staging")
    assert answer.out == "staging/fraud@2\n"
    assert "staging of fraud: fraud:1 -> fraud:2" in answer.err
    assert "already" in fraud.ok("promote", "fraud:2", "staging").err


def test_a_refusal_by_guards_shows_every_verdict(fraud: Cli) -> None:
    fraud.ok("edit", "fraud:1", "--set", "metrics.auc=0.5")
    answer = fraud("promote", "fraud:1", "production")
    assert answer.code == 5
    assert "✓ from: has held staging" in answer.err
    assert "✗ metrics" in answer.err
    assert ">= 0.9" in answer.err
    assert "hint: " in answer.err


def test_can_answers_for_every_guard_and_with_the_exit_code_of_the_move(fraud: Cli) -> None:
    assert fraud("can", "fraud:2", "production").code == 5
    good = fraud.ok("can", "fraud:1", "production")
    assert f"yes: stackroom -R {fraud.registry} promote fraud:1 production" in good.out
    assert fraud.json("can", "fraud:1", "production")["allowed"] is True


def test_expect_refuses_where_another_version_holds_the_stage(fraud: Cli) -> None:
    assert fraud("promote", "fraud:2", "staging", "--expect", "fraud:2").code == 6
    fraud.ok("promote", "fraud:2", "staging", "--expect", "fraud:1")


def test_rollback_goes_to_the_one_before_and_clear_to_nobody(fraud: Cli) -> None:
    fraud.ok("promote", "fraud:2", "staging")
    assert "fraud:2 -> fraud:1" in fraud.ok("rollback", "fraud", "staging", "--reason", "alerts").err
    assert "fraud:1 -> nothing" in fraud.ok("clear", "fraud", "staging").err
    assert fraud("clear", "fraud", "staging").code == 3


def test_history_tells_who_and_why_and_what_held_at_a_time(fraud: Cli) -> None:
    fraud.ok("clear", "fraud", "staging", "--reason", "withdrawn")
    events = fraud.json("history", "fraud", "--stage", "staging")["events"]
    assert [(event["to"], event["reason"]) for event in events] == [("fraud:1", "the first one"), (None, "withdrawn")]
    assert {event["validity"] for event in events} == {"attested"}
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    assert fraud.json("history", "--at", today)["events"][0]["to"] is None
    assert fraud.json("history", "--at", "2001-01-01")["events"] == []
    at = events[0]["when"]
    assert fraud.json("history", "--at", at)["events"][0]["to"] == "fraud:1"
    assert fraud("history", "--at", "yesterday").code == 2
    assert fraud.json("history", "--at", "2001-01-01")["at"] == "2001-01-01T23:59:59.999999Z"


def test_an_event_that_is_gone_is_missed_by_who_saw_it_until_it_is_acknowledged(fraud: Cli) -> None:
    fraud.ok("promote", "fraud:2", "staging", "--reason", "better")
    (fraud.registry / "stages/staging/fraud@2").unlink()
    for argv in (("history",), ("verify",), ("history", "fraud", "--stage", "staging"), ("verify", "fraud:1")):
        assert "staging of fraud was event 2 on " in fraud.ok(*argv).err
        (gone,) = fraud.json(*argv)["vanished"]
        assert (gone["number"], gone["present"]) == (2, 1)
    assert "warning:" not in fraud.ok("history", "--stage", "production").err
    assert "known from now on" in fraud.ok("history", "fraud", "--acknowledge").err
    assert "staging of fraud was" not in fraud.ok("history").err
    assert "nothing vanished" in fraud.ok("history", "--acknowledge").err


def test_listing_is_enough_to_miss_an_event_later(fraud: Cli) -> None:
    fraud.ok("list")
    (fraud.registry / "stages/staging/fraud@1").unlink()
    assert "has no event that counts now: event 1 (to=1 by" in fraud.ok("history").err


@pytest.mark.parametrize("day", ["2026-05-03", "20260503", "2026-W18-7"])
def test_a_day_however_written_is_its_end(fraud: Cli, day: str) -> None:
    assert fraud.json("history", "--at", day)["at"] == "2026-05-03T23:59:59.999999Z"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("2026-05-03T14:00", "14:00:00"), ("2026-05-03 14:00Z", "14:00:00"), ("2026-05-03T14:00+02:00", "12:00:00")],
)
def test_a_time_is_utc_unless_it_names_its_zone(fraud: Cli, typed: str, meant: str) -> None:
    assert fraud.json("history", "--at", typed)["at"] == f"2026-05-03T{meant}Z"


def test_words_are_no_time_and_what_is_one_is_said(fraud: Cli) -> None:
    answer = fraud("history", "--at", "3 May")
    assert answer.code == 2
    assert "the end of that day, UTC" in answer.err


def test_history_shows_what_was_overridden(fraud: Cli) -> None:
    policy = fraud.registry / "registry.toml"
    policy.write_text(policy.read_text().replace('["auc >= 0.90"]', '{ value = ["auc >= 0.99"], overridable = true }'))
    refused = fraud("can", "fraud:1", "production")
    assert refused.code == 5
    assert "(--override metrics --reason '…' overrides it)" in refused.out
    override = ("promote", "fraud:1", "production", "--override", "metrics")
    assert fraud(*override).code == 2
    assert fraud(*override, "--override", "verify", "--reason", "x").code == 5
    assert fraud(*override, "--override", "archived", "--reason", "x").code == 2
    answer = fraud.ok(*override, "--reason", "an outage")
    assert "overridden, and the event says so for ever: metrics" in answer.err
    titles, cells = fraud.ok("history", "fraud", "--stage", "production").out.splitlines()
    assert titles.split("\t")[-1] == "OVERRIDDEN"
    assert cells.split("\t")[-1] == "metrics"
    (event,) = fraud.json("history", "--stage", "production")["events"]
    assert (event["override"], event["extra"]) == (["metrics"], {})
    # On a terminal who did it, and what that is worth, are not given up for it.
    narrow, wide = (
        all_on_terminal(fraud.registry, [("--color", "never", "history", "fraud")], width=width)[0]
        for width in (80, 200)
    )
    who = stackroom.open(fraud.registry).who.label
    for shown in (narrow, wide):
        (head,) = (line for line in shown.splitlines() if "WHEN" in line)
        assert {"BY", "EVENT"} <= set(head.split())
        (row,) = (line for line in shown.splitlines() if " production " in line)
        assert {who, "attested"} <= set(row.split())
        assert "production/fraud@1 overrode metrics" in shown
    assert "overrode metrics: an outage" in wide


# --- approvals


def test_approve_prints_the_name_and_warns_of_what_does_not_count(fraud: Cli) -> None:
    answer = fraud.ok("approve", "fraud:1", "production", "--reason", "read it")
    assert answer.out == "approvals/production/fraud:1@1\n"
    assert "approved fraud:1 for production, as it is now" in answer.err
    assert "an author's own approval does not count" in answer.err
    assert "already" in fraud.ok("approve", "fraud:1", "production").err
    assert fraud.ok("reject", "fraud:1", "production").out == "approvals/production/fraud:1@2\n"


def test_what_people_said_is_shown_with_what_has_become_of_it(fraud: Cli) -> None:
    fraud.ok("approve", "fraud:1", "production", "--reason", "read \x1b[31m it")
    fraud.ok("reject", "fraud:1", "staging")
    fraud.ok("edit", "fraud:1", "--set", "team=x")
    fraud.ok("approve", "fraud:1", "production")
    shown = fraud.ok("show", "fraud:1").out
    assert "read ␛[31m it" in shown
    assert "void: another metadata now; spoke again since" in shown
    words = fraud.json("show", "fraud:1")["approvals"]
    assert [(word["stage"], word["op"], word["stands"]) for word in words] == [
        ("staging", "reject", False),
        ("production", "approve", False),
        ("production", "approve", True),
    ]
    rows = fraud.ok("history", "--approvals", "--stage", "production").out.splitlines()
    assert [row.split("\t")[2] for row in rows] == ["VERSION", "fraud:1", "fraud:1"]
    assert len(fraud.json("history", "fraud", "--approvals")["approvals"]) == 3
    assert fraud("history", "--approvals", "--at", "2026-01-01").code == 2


def test_can_tells_who_has_spoken(fraud: Cli) -> None:
    policy = fraud.registry / "registry.toml"
    policy.write_text(policy.read_text().replace("guards = {", "guards = { approvals = 1,"))
    fraud.ok("approve", "fraud:1", "production")
    answer = fraud("can", "fraud:1", "production")
    assert answer.code == 5
    assert "0 of 1" in answer.out
    assert "and is the author: does not count; wanted: 1 person to approve it as it is now" in answer.out
    assert [word["op"] for word in fraud("can", "fraud:1", "production", "--json").document["approvals"]] == ["approve"]


# --- verify


@pytest.mark.parametrize("jobs", [1, 4])
def test_verify_finds_damage_and_ends_with_seven(fraud: Cli, jobs: int) -> None:
    assert fraud.ok("verify", "--jobs", jobs).out.splitlines()[1].startswith("fraud:1\tyes\t1\t3\t-")
    unseal(fraud.registry / "models/fraud/2")
    (fraud.registry / "models/fraud/2/model.bin").write_bytes(b"sEcond")
    answer = fraud("verify", "--jobs", jobs, "--json")
    assert answer.code == 7
    assert [row["ok"] for row in answer.document["versions"]] == [True, False]
    assert fraud("verify", "fraud:1").code == 0
    assert fraud("verify", "fraud:2", "fraud:1").code == 7
    assert fraud("verify", "fraud:3").code == 3


def test_verify_names_no_pattern_for_what_is_not_sealed(fraud: Cli) -> None:
    (fraud.registry / "models/fraud/1").chmod(0o755)
    told = fraud.ok("verify").err
    assert "chmod -R" not in told
    assert "to seal your versions: stackroom -R" in told
    assert "doctor --fix" in told


def test_verify_refuses_jobs_that_cannot_be(fraud: Cli) -> None:
    assert fraud("verify", "--jobs", 0).code == 2


# --- all of them


DRY = {
    "demo": ("demo", "{tmp}/never"),
    "demo somewhere": ("demo",),
    "init": ("init", "{tmp}/never"),
    "new": ("new", "other"),
    "register": ("register", "fraud", "{tmp}/first", "--label", "9.9.9"),
    "register a new model": ("register", "other", "{tmp}/first"),
    "register with move": ("register", "fraud", "{tmp}/first", "--move"),
    "label": ("label", "fraud:1", "9.9.9"),
    "edit": ("edit", "fraud:1", "--set", "description=x"),
    "revert": ("revert", "fraud:1", "--to", "0"),
    "archive": ("archive", "fraud:2"),
    "promote": ("promote", "fraud:2", "staging"),
    "rollback": ("rollback", "fraud", "staging"),
    "clear": ("clear", "fraud", "staging"),
    "approve": ("approve", "fraud:1", "production"),
    "reject": ("reject", "fraud:1", "production", "--reason", "x"),
}


@pytest.mark.parametrize("case", DRY)
def test_dry_run_changes_nothing_at_all(fraud: Cli, tmp_path: Path, case: str) -> None:
    fraud.ok("promote", "fraud:2", "staging")
    fraud.ok("promote", "fraud:1", "staging")
    before = tree(tmp_path)
    answer = fraud(*(word.format(tmp=tmp_path) for word in DRY[case]), "--dry-run")
    assert answer.code == 0, answer.err
    assert tree(tmp_path) == before


def test_a_wrong_registry_toml_is_told_and_reading_goes_on(fraud: Cli) -> None:
    set_policy(fraud.registry, "[stages.staging]\n[stages.production]\nguard = {}\n")
    answer = fraud.ok("list")
    assert "fraud" in answer.out
    assert "registry.toml:5: stages.production.guard" in answer.err
    assert answer.err.count("registry.toml") == 1
    assert fraud.json("list")["problems"][0]["place"] == "registry.toml"
    assert fraud("promote", "fraud:2", "staging").code == 8


def test_a_broken_version_is_a_flagged_row_and_a_problem(fraud: Cli) -> None:
    unseal(fraud.registry / "models/fraud/2")
    (fraud.registry / "models/fraud/2/version.toml").write_text("format = ")
    answer = fraud.ok("list", "fraud")
    assert [line.split("\t")[:2] for line in answer.out.splitlines()[1:]] == [["!", "2"], ["", "1"]]
    assert "problem: models/fraud/2: version.toml" in answer.err
    assert "!\tfraud" in fraud.ok("list").out


def test_a_command_is_found_wherever_the_options_stand(fraud: Cli) -> None:
    path = str(fraud.registry)
    wanted = process("-R", path, "path", "fraud:1").out
    assert wanted
    assert process("path", "-R", path, "fraud:1").out == wanted
    assert process("path", "fraud:1", f"--registry={path}", "--color", "never").out == wanted
    assert process("path", "fraud:1", env={"STACKROOM_REGISTRY": path}).out == wanted
    assert process("path", "fraud:1", cwd=fraud.registry / "models").out == wanted


def test_a_bad_byte_in_the_registrys_own_path_reaches_a_script_unchanged(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "od\udcffd"
    cli.ok("init", path)
    cli.registry = path
    cli.ok("register", "m", artifacts(tmp_path / "a"))
    assert process("-R", str(path), "list").code == 0


@pytest.mark.parametrize("text", ["", " \n\t\n"])
def test_an_empty_card_is_refused_and_nothing_is_written(fraud: Cli, tmp_path: Path, text: str) -> None:
    (tmp_path / "card.md").write_text(text)
    before = tree(fraud.registry)
    for argv in (("edit", "fraud:1"), ("register", "fraud", tmp_path / "card.md")):
        answer = fraud(*argv, "--card", tmp_path / "card.md")
        assert (answer.code, answer.err.splitlines()[0]) == (8, "error: the card is empty"), answer.err
    piped = process("-R", fraud.registry, "edit", "fraud:1", "--card", "-", stdin=text)
    assert piped.code == 8
    assert "kept" not in piped.err
    assert tree(fraud.registry) == before


def test_history_at_a_time_of_a_model_that_never_was_is_no_empty_answer(fraud: Cli) -> None:
    for argv in ((), ("--json",), ("--stage", "staging")):
        answer = fraud("history", "fruad", "--at", "2030-01-01", *argv)
        assert answer.code == 3
        assert "SINCE" not in answer.out
        assert "there is no model fruad" in answer.out + answer.err
    assert fraud.json("history", "fraud", "--at", "2001-01-01")["events"] == []


def test_history_at_a_time_knows_a_model_whose_folder_is_gone(fraud: Cli) -> None:
    (fraud.registry / "models/fraud").rename(fraud.registry.parent / "gone")
    events = fraud.ok("history", "fraud", "--at", "2030-01-01", "--json").document["events"]
    assert [event["to"] for event in events] == ["fraud:1"]
    assert "staging" in fraud.ok("history", "fraud", "--at", "2030-01-01").out


def test_what_production_measures_is_recorded_shown_and_held_against_the_monitor(fraud: Cli) -> None:
    for stage in ("staging", "production"):
        fraud.ok("promote", "fraud:1", stage)
    answer = fraud.ok("monitor")
    assert "silent\tfraud:1\tproduction" in answer.out
    assert answer.err == "1 silent\n"
    made = fraud.ok("observe", "fraud@production", "auc=0.8", "latency_ms=13", "--at", "2026-05-03T14:00")
    assert made.out.startswith("observations/fraud:1.")
    assert made.err == "recorded of fraud:1: auc 0.8, latency_ms 13, at 2026-05-03T14:00:00Z\n"
    fraud.ok("observe", "fraud:1", "auc=0.7", "--dry-run")
    shown = fraud.ok("show", "fraud:1").out
    assert re.search(r"^auc\t0\.8\t2026-05-03T14:00:00Z\t\S+\t\S+\t1$", shown, re.MULTILINE)
    fraud.ok("promote", "fraud:2", "staging")
    fraud.ok("promote", "fraud:2", "production")
    fraud.ok("observe", "fraud:2", "auc=0.8")
    answer = fraud("monitor")
    assert answer.code == 9
    rollback = f"stackroom -R {fraud.registry} rollback fraud production"
    assert f"degraded: fraud:2 in production; fraud:1 held it before: {rollback}\n" in answer.err
    assert fraud("monitor", "--json").code == 9
    assert fraud.ok("monitor", "--stage", "staging").err == "no stage has a monitor in registry.toml\n"
    assert "degraded" in fraud.ok("review").out
    (fraud.registry / "models/fraud/2").rename(fraud.registry / "models/fraud/gone")
    assert "warning: fraud:2 holds production, and its folder is missing\n" in fraud("monitor").err
    assert fraud("observe", "fraud:1", "auc=high").code == 2
    assert fraud("observe", "fraud:1", "auc=1", "--at", "2999-01-01").code == 8
    today = datetime.now(UTC).date().isoformat()
    assert fraud.json("observe", "fraud:1", "auc=1", "--at", today, "--dry-run")["at"].startswith(today)


@pytest.mark.parametrize("argv", [("-R", "", "list"), ("list", "--registry="), ("-R", ""), ("-R", "", "tui")])
def test_an_empty_path_of_a_registry_is_refused_and_means_no_other(
    fraud: Cli, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]
) -> None:
    monkeypatch.chdir(fraud.registry)
    answer = process(*argv)
    assert (answer.code, answer.out) == (2, "")
    assert "-R names no registry: its path is empty" in answer.err
