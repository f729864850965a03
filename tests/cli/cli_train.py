#!/usr/bin/env python3
"""Training from the command line: what it writes, what it says, and the same file whatever the number of threads."""

import json
import math
import os
import pathlib
import pty
import re
import resource
import select
import shlex
import subprocess

from command_line import PATIENCE, SMALL, UNROLL, CommandTest, log_lines, main, run, sentence_text


class Train(CommandTest):
    def train(self, *flags, save=None, text=None, **options):
        model = save or self.folder / "m.safetensors"
        self.last = self.succeed("train", text or self.text, "--save", model, *SMALL, *flags, **options)
        return model

    def inspect(self, model):
        return json.loads(self.succeed("inspect", model, "--json").out)

    def test_it_says_what_it_is_going_to_do_and_what_came_out(self):
        model = self.train("--steps", "30")
        self.assertEqual(self.last.out, "")
        network = self.inspect(model)
        for words in ["lstm, 1 layer of 8, embedding 8", f"{network['parameters']:,} parameters",
                      f"ln V = {math.log(network['config']['vocabulary']):.4f}", "memory ", "together", "FLOP per token",
                      "30 steps of 4 x 8 tokens", "validation loss", "bits/char", "  best", str(model)]:
            self.assertIn(words, self.last.err)
        self.assertNotIn("\x1b", self.last.err)
        self.assertNotIn("\r", self.last.err)
        self.assertEqual(os.listdir(self.folder), ["m.safetensors"])

    def test_it_says_in_which_precision_it_multiplies_and_why(self):
        model = self.train("--steps", "5")
        chosen = self.inspect(model)["training"]["options"]["precision"]
        self.assertRegex(self.last.err, rf"precision {chosen} \(auto: this processor .*bf16\)\n")
        models = {}
        for precision in ["f32", "bf16"]:
            models[precision] = self.train("--steps", "5", "--precision", precision, save=self.folder / precision)
            self.assertIn(f"precision {precision}\n", self.last.err)
            found = self.inspect(models[precision])
            self.assertEqual((found["training"]["options"]["precision"], found["precision"]), (precision, "f32"))
        self.assertEqual(model.read_bytes(), models[chosen].read_bytes())
        self.refuse(2, ["--precision", "int8"], "train", self.text, "--save", self.folder / "x", "--precision", "int8")

    def test_layer_normalisation_is_said_recorded_and_kept_by_from(self):
        model = self.train("--steps", "30", "--layer-norm")
        self.assertIn("layer normalisation", self.last.err)
        found = self.inspect(model)
        self.assertIs(found["config"]["layer_norm"], True)
        self.assertEqual(found["training"]["options"]["layer-norm"], "true")
        self.assertIn("rnn.norm_hh_l0", [tensor["name"] for tensor in found["tensors"]])
        self.assertIn("layer norm", self.succeed("inspect", model).out)
        further = self.folder / "further"
        self.succeed("train", self.text, "--save", further, "--from", model, "--steps", "5")
        self.assertIs(self.inspect(further)["config"]["layer_norm"], True)
        self.refuse(2, ["--layer-norm"], "train", self.text, "--save", self.folder / "x", "--from", model, "--layer-norm")
        self.refuse(2, ["1 unit"], "train", self.text, "--save", self.folder / "x", "--hidden", "1", "--layer-norm")
        plain = self.inspect(self.train("--steps", "5", save=self.folder / "plain"))
        self.assertNotIn("layer_norm", plain["config"])
        self.assertNotIn("layer-norm", plain["training"]["options"])

    def test_quiet_says_nothing(self):
        self.train("--steps", "10", "--quiet")
        self.assertEqual((self.last.out, self.last.err), ("", ""))

    def test_the_log_has_a_line_for_each_step(self):
        log = self.folder / "log.jsonl"
        log.write_text('{"step":7,"tokens":9,"nats_per_token":1.5,"lr":1e-05,"grad_norm":2.0,"tokens_per_s":3.25}\n'
                       '{"step":8,"tokens":18,"nats_per_t', encoding="utf-8")
        model = self.train("--steps", "30", "--log", log)
        lines = log_lines(log)
        self.assertEqual([line["step"] for line in lines], list(range(1, 31)))
        for line in lines:
            self.assertEqual(set(line) - {"valid_nats_per_token"},
                             {"step", "tokens", "nats_per_token", "lr", "grad_norm", "tokens_per_s"})
        tokens = [line["tokens"] for line in lines]
        self.assertEqual(tokens, sorted(set(tokens)))
        measured = [line["valid_nats_per_token"] for line in lines if "valid_nats_per_token" in line]
        self.assertTrue(measured)
        self.assertIn(f"{min(measured):.4f}", self.last.err)
        history = self.inspect(model)["training"]["history"]
        self.assertEqual([point["valid_nats_per_token"] for point in history if "valid_nats_per_token" in point], measured)

    def test_the_log_may_go_to_standard_output(self):
        self.train("--steps", "5", "--log", "-", "--quiet")
        self.assertEqual([json.loads(line)["step"] for line in self.last.out.splitlines()], [1, 2, 3, 4, 5])

    def test_a_log_that_cannot_be_opened_is_an_error(self):
        for log in [self.folder / "missing" / "log.jsonl", self.folder]:
            done = run("train", self.text, "--save", self.folder / "m", *SMALL, "--steps", "5", "--log", log)
            self.assertEqual(done.status, 1)
            self.assertIn(str(log), done.err)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_log_that_cannot_be_written_ends_the_run_saved(self):
        expected = self.train("--steps", "9", save=self.folder / "expected").read_bytes()
        arguments = ["train", self.text, "--save", self.folder / "m", *SMALL, "--steps", "9", "--quiet"]
        self.refuse(1, ["/dev/full", "No space left", "after step 1,", "--resume"], *arguments, "--log", "/dev/full")
        self.assertTrue((self.folder / "m.resume").exists())
        self.succeed(*arguments, "--resume")
        self.assertEqual((self.folder / "m").read_bytes(), expected)

    def test_a_file_that_only_begins_like_a_log_is_not_emptied(self):
        ours = '{"step":7,"tokens":9,"nats_per_token":1.5,"lr":1e-05,"grad_norm":2.0,"tokens_per_s":3.25}'
        for content in ['{"step":1,"loss":3.2}\n', ours + "\n" + '{"step":1,"loss":3.2}\n', ours + "\nnotes",
                        ours.replace("}", ',"mine":1}'), ours.replace("9,", '"nine",'),
                        ours.replace("2.0", "2.0.0") + "\n"]:
            log = self.write("log.jsonl", content)
            self.refuse(1, ["not a line of a training log"], "train", self.text, "--save", self.folder / "m", *SMALL,
                        "--steps", "5", "--quiet", "--log", log)
            self.assertEqual(log.read_text(encoding="utf-8"), content)
            self.assertEqual(os.listdir(self.folder), ["log.jsonl"])

    def test_a_limit_on_the_size_of_files_is_an_error_like_a_full_disk(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        self.refuse(1, [str(self.folder), "File too large"], "train", self.text, "--save", self.folder / "m", *SMALL,
                    "--steps", "5", "--quiet", preexec_fn=limit)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_the_model_to_begin_with_may_be_a_pipe(self):
        model = self.train("--steps", "5", save=self.folder / "first")
        flags = ["train", self.text, "--batch-size", "4", "--bptt", "8", "--steps", "5"]
        self.succeed(*flags, "--from", model, "--save", self.folder / "a", "--quiet")
        done = self.succeed(*flags, "--from", "/dev/stdin", "--save", self.folder / "b", stdin=model.read_bytes())
        self.assertIn("bits/char", done.err)
        self.assertEqual((self.folder / "b").read_bytes(), (self.folder / "a").read_bytes())

    def test_the_loss_begins_at_that_of_a_uniform_guess_and_falls(self):
        log = self.folder / "log.jsonl"
        model = self.train("--steps", "150", "--log", log, "--lr", "0.02")
        lines = log_lines(log)
        uniform = math.log(self.inspect(model)["config"]["vocabulary"])
        self.assertAlmostEqual(lines[0]["nats_per_token"], uniform, delta=0.01 * uniform)
        self.assertLess(lines[-1]["nats_per_token"], 0.8 * uniform)

    def test_any_number_of_threads_gives_the_same_file(self):
        flags = ["--steps", "25", "--layers", "2", "--dropout", "0.2", "--quiet"]
        files = [self.train(*flags, "--threads", n, save=self.folder / n).read_bytes() for n in ["1", "2", "3"]]
        self.assertEqual(files[0], files[1])
        self.assertEqual(files[0], files[2])
        self.assertNotEqual(files[0], self.train(*flags, "--seed", "2", save=self.folder / "other").read_bytes())

    def test_aliases_mean_the_same(self):
        long = self.train("--steps", "5", "--embed", "6", "--layers", "2", "--quiet", save=self.folder / "long")
        self.succeed("train", self.text, "--save", self.folder / "short", "--nhid", "8", "--emsize=6", "--nlayers", "2",
                     "--batch-size", "4", "--seq-length", "8", "-t", "2", "--steps", "5", "--quiet")
        self.assertEqual((self.folder / "short").read_bytes(), long.read_bytes())

    def test_every_cell_and_tokenizer_trains_and_scores(self):
        for cell in ["rnn-tanh", "rnn-relu", "lstm", "gru", "gru-reset-before", "min-gru", "min-lstm"]:
            model = self.train("--cell", cell, "--steps", "5", "--overwrite", "--quiet")
            self.assertEqual(self.inspect(model)["config"]["cell"], cell)
            self.succeed("score", model, stdin=b"the cat\n")
        self.train("--cell", "rnn-relu", "--init", "identity", "--steps", "5", "--overwrite", "--quiet")
        self.refuse(2, ["identity"], "train", self.text, "--save", self.folder / "x", "--init", "identity")
        for kind in ["char", "byte", "word", "whitespace"]:
            model = self.train("--tokenizer", kind, "--steps", "5", "--overwrite", "--quiet")
            self.assertEqual(self.inspect(model)["tokenizer"]["kind"], kind)
            self.succeed("eval", model, self.text)

    def test_every_softmax_trains_and_is_named(self):
        adaptive = self.folder / "adaptive"
        self.succeed("train", self.text, "--save", adaptive, "--softmax", "adaptive", "--cutoffs", "3,7", "--hidden",
                     "16", "--steps", "5")
        self.assertEqual(self.inspect(adaptive)["config"]["cutoffs"], [3, 7])
        self.assertIn("adaptive, cutoffs 3, 7", self.succeed("inspect", adaptive).out)
        self.succeed("generate", adaptive, "--length", "20")
        done = self.succeed("train", self.text, "--save", self.folder / "sampled", "--hidden", "8", "--steps", "5",
                            "--softmax", "sampled", "--samples", "5")
        self.assertIn("softmax sampled at 5 symbols", done.err)
        sampled = self.inspect(self.folder / "sampled")
        self.assertNotIn("cutoffs", sampled["config"])
        self.assertEqual(sampled["training"]["options"]["samples"], "5")
        for words, flags in ((["--cutoffs", "adaptive"], ["--cutoffs", "3"]),
                             (["--samples", "sampled"], ["--samples", "3"]),
                             (["cutoff 3"], ["--softmax", "adaptive", "--cutoffs", "7,3"]),
                             (["--cutoffs", "whole numbers"], ["--softmax", "adaptive", "--cutoffs", "3,,7"]),
                             (["tied"], ["--softmax", "adaptive", "--cutoffs", "3", "--tied"]),
                             (["half of the vocabulary"], ["--softmax", "sampled", "--samples", "5000"]),
                             (["hierarchical"], ["--softmax", "hierarchical"])):
            self.refuse(2, words, "train", self.text, "--save", self.folder / "x", *flags)

    def test_options_of_the_network_reach_the_model(self):
        model = self.train("--layers", "3", "--embed", "8", "--tied", "--dropout", "0.25", "--steps", "5",
                           "--optimizer", "sgd", "--schedule", "plateau", "--clip", "0.25", "--warmup", "3",
                           "--state", "reset", "--min-count", "2")
        found = self.inspect(model)
        self.assertEqual(found["config"]["layers"], 3)
        self.assertIs(found["config"]["tied"], True)
        options = found["training"]["options"]
        self.assertEqual([options[f"dropout-{where}"] for where in ("input", "between", "output")], ["0.25"] * 3)
        self.assertNotIn("decoder.weight", [tensor["name"] for tensor in found["tensors"]])
        self.assertEqual(json.loads(self.succeed("eval", model, self.text, "--json").out)["state"], "reset")

    def test_words_can_be_folded_and_limited(self):
        text = self.write("case.txt", "The cat THE dog\n" * 80)
        model = self.train("--tokenizer", "word", "--lowercase", "--steps", "5", text=text, save=self.folder / "folded")
        self.assertIn("the", self.inspect(model)["tokenizer"]["vocabulary"])
        self.assertNotIn("THE", self.inspect(model)["tokenizer"]["vocabulary"])
        model = self.train("--tokenizer", "whitespace", "--vocab-size", "5", "--steps", "5", save=self.folder / "few")
        self.assertEqual(self.inspect(model)["tokenizer"]["size"], 5)

    def test_a_vocabulary_file_decides_the_ids(self):
        vocabulary = self.write("vocab.txt", "<unk>\n<eos>\nthe\ncat\ndog\n")
        model = self.train("--tokenizer", "whitespace", "--vocab", vocabulary, "--steps", "5")
        self.assertEqual(self.inspect(model)["tokenizer"]["vocabulary"], ["<unk>", "<eos>", "the", "cat", "dog"])

    def test_flags_that_would_do_nothing_are_refused(self):
        train = ["train", self.text, "--save", self.folder / "m", *SMALL, "--steps", "2", "--quiet"]
        self.refuse(2, ["--weight-drop", "min-gru"], *train, "--cell", "min-gru", "--weight-drop", "0.5")
        self.refuse(2, ["--schedule is plateau", "validation"], *train, "--schedule", "plateau", "--valid-split", "0")
        self.refuse(2, ["--softmax", "full"], "train", self.text, "--save",
                    self.folder / "m", "--steps", "2", "--softmax", "adaptive", "--from", self.make_model("full.safetensors"))
        self.refuse(2, ["sgd, adam, asgd"], *train, "--optimizer", "foo")

    def test_the_measurement_warms_up_as_the_run_does(self):
        """Rates that are harmless within the run must not end the measurement before it."""
        flags = ["--optimizer", "sgd", "--clip", "0", "--schedule", "constant", "--lr", "1e12", "--warmup", "2000000000",
                 "--weight-decay", "1e-3"]
        self.succeed("train", self.text, "--save", self.folder / "m", *SMALL, "--steps", "3", "--quiet", *flags)

    def test_validation_can_be_a_file_or_nothing(self):
        valid = self.write("valid.txt", sentence_text(20, seed=3))
        self.train("--steps", "10", "--valid", valid, save=self.folder / "a")
        self.assertIn(f"{len(valid.read_bytes()):,} to validate on", self.last.err)
        model = self.train("--steps", "10", "--valid-split", "0", save=self.folder / "b")
        self.assertIn("none to validate on", self.last.err)
        self.assertNotIn("validation loss", self.last.err)
        self.assertEqual(self.inspect(model)["training"]["history"][-1]["step"], 10)

    def test_unknown_tokens_are_told_from_the_plan_to_the_end(self):
        valid = self.write("valid.txt", "1234 the\n" * 20)
        log = self.folder / "log"
        self.train("--steps", "3", "--valid", valid, "--log", log)
        share = 4 / 9
        self.assertIn("180 to validate on (44.4% unknown); vocabulary", self.last.err)
        self.assertIn("WARNING: 44.4% of the text to validate on is unknown", self.last.err)
        self.assertIn("--valid of the kind", self.last.err)
        self.assertRegex(self.last.err, r"best +step .*bits/char \(not comparable\) \(44\.4% unknown\)\n")
        self.assertRegex(self.last.err, r"trained .*bits/char\n")
        self.train("--steps", "3", "--valid", valid, "--log", log, "--overwrite", "--vocab-size", "8", "--quiet")
        self.assertTrue(all(0 < line["train_unknown_share"] < 1 for line in log_lines(log)))
        self.train("--steps", "3", "--valid", valid, "--log", log, "--overwrite", "--quiet")
        for line in log_lines(log):
            self.assertNotIn("train_unknown_share", line)
            self.assertEqual(line.get("valid_unknown_share"), share if "valid_nats_per_token" in line else None)
        # It is that of the whole text, of however much of it a validation reads.
        self.train("--steps", "3", "--valid", valid, "--log", log, "--overwrite", "--valid-tokens", "50")
        self.assertEqual(log_lines(log)[-1]["valid_unknown_share"], share)
        self.assertIn("the first 50 of 180 to validate on (44.4% unknown); vocabulary", self.last.err)

    def test_the_model_on_file_is_the_best_on_validation(self):
        valid = self.write("valid.txt", sentence_text(20, seed=3))
        log = self.folder / "log"
        model = self.train("--steps", "60", "--valid", valid, "--log", log, "--lr", "0.05", "--schedule", "constant")
        best = min(line["valid_nats_per_token"] for line in log_lines(log) if "valid_nats_per_token" in line)
        found = json.loads(self.succeed("eval", model, valid, "--json").out)["nats_per_token"]
        self.assertEqual(found, best)

    def test_epochs_and_minutes_become_steps(self):
        self.train("--epochs", "2", save=self.folder / "epochs")
        steps = int(re.search(r"run +([\d,]+) steps? of", self.last.err).group(1).replace(",", ""))
        self.assertIn("(2 epochs)", self.last.err)
        self.assertGreater(steps, 100)
        model = self.train("--minutes", "0.03", save=self.folder / "minutes")
        self.assertNotIn("minutes", self.inspect(model)["training"]["options"])
        self.assertEqual(self.repeated().read_bytes(), model.read_bytes())

    def repeated(self):
        """The model of the command that the plan of the last run prints, with another path."""
        command = shlex.split(re.search(r"^repeat +unroll (.+)$", self.last.err, re.MULTILINE).group(1))
        at = command.index("--save") + 1
        command[at] += ".again"
        self.succeed(*command)
        return pathlib.Path(command[at])

    def test_minutes_alone_choose_a_network_and_say_how_to_repeat_the_run(self):
        text = self.write("it's a text.txt", sentence_text(150))
        model = self.folder / "fitted"
        self.last = self.succeed("train", text, "--minutes", "0.01", "--threads", "1", "--save", model, "--log",
                                 self.folder / "log")
        found = self.inspect(model)
        self.assertEqual(found["config"]["cell"], "gru")
        for flag in ["--cell gru", "--hidden ", "--embed ", "--batch-size ", "--bptt ", "--lr ", "--precision ", "--steps "]:
            self.assertIn(flag, self.last.err)
        self.assertNotIn("--minutes", self.last.err.split("repeat")[1])
        self.assertEqual(self.repeated().read_bytes(), model.read_bytes())
        self.succeed("train", text, "--minutes", "0.01", "--threads", "1", "--save", model, "--resume")
        # One flag about the network, and the others have their defaults.
        self.last = self.succeed("train", text, "--minutes", "0.005", "--hidden", "8", "--save", self.folder / "given")
        self.assertEqual(self.inspect(self.folder / "given")["config"]["cell"], "lstm")

    def test_a_run_that_cannot_fit_its_minutes_says_so(self):
        self.train("--minutes", "0.000001")
        self.assertRegex(self.last.err, "the run will take about .*, more than --minutes .* allow: 1 step of ")
        self.assertEqual(self.inspect(self.folder / "m.safetensors")["training"]["options"]["steps"], "1")

    def test_a_model_can_be_continued_on_another_text(self):
        first = self.train("--steps", "40", "--lr", "0.02", save=self.folder / "first")
        other = self.write("other.txt", sentence_text(120, seed=5))
        second = self.folder / "second"
        self.succeed("train", other, "--save", second, "--from", first, "--batch-size", "4", "--bptt", "8", "--steps", "5",
                     "--lr", "0.001")
        before, after = self.inspect(first), self.inspect(second)
        self.assertEqual(after["tokenizer"], before["tokenizer"])
        self.assertEqual(after["config"], before["config"])
        # It starts where the first ended, far below a uniform guess.
        uniform = math.log(before["config"]["vocabulary"])
        self.assertLess(after["training"]["history"][0]["nats_per_token"], 0.9 * uniform)

    def test_a_model_that_is_continued_keeps_its_network(self):
        first = self.train("--steps", "3")
        for flags in (["--hidden", "9"], ["--cell", "gru"], ["--tied"], ["--tokenizer", "word"]):
            self.refuse(2, [flags[0], "--from"], "train", self.text, "--save", self.folder / "next", "--from", first, *flags)

    def test_several_texts_pipes_and_packed_texts_are_read(self):
        half = self.text.read_bytes()
        cut = half.index(b"\n", len(half) // 2) + 1
        one, two = self.write("one.txt", half[:cut]), self.write("two.txt", half[cut:])
        whole = self.train("--steps", "5", "--quiet", save=self.folder / "whole").read_bytes()
        self.succeed("train", one, two, "--save", self.folder / "parts", *SMALL, "--steps", "5", "--quiet")
        self.assertEqual((self.folder / "parts").read_bytes(), whole)
        self.succeed("train", "-", "--save", self.folder / "piped", *SMALL, "--steps", "5", "--quiet", stdin=half)
        self.assertEqual((self.folder / "piped").read_bytes(), whole)

    def test_a_terminal_gets_a_line_that_rewrites_itself(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen([UNROLL, "train", self.text, "--save", self.folder / "m", *SMALL, "--steps", "400"],
                                   stderr=theirs, stdin=subprocess.DEVNULL,
                                   env={**os.environ, "TERM": "xterm", "NO_COLOR": "1"})
        os.close(theirs)
        said = b""
        while True:
            ready, _, _ = select.select([ours], [], [], PATIENCE)
            self.assertTrue(ready, "it hangs")
            try:
                block = os.read(ours, 1 << 16)
            except OSError:
                break
            if not block:
                break
            said += block
        os.close(ours)
        self.assertEqual(process.wait(PATIENCE), 0)
        self.assertRegex(said, rb"\r\d+%  loss \d+\.\d+  ppl [\d.]+")
        self.assertNotIn(b"\x1b[1m", said)

    def test_a_closed_standard_error_harms_no_file(self):
        expected = self.train("--steps", "5", save=self.folder / "expected").read_bytes()
        process = subprocess.run(["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', UNROLL, "train", self.text, "--save",
                                  self.folder / "m", *SMALL, "--steps", "5"], timeout=PATIENCE, check=False)
        self.assertEqual(process.returncode, 0)
        self.assertEqual((self.folder / "m").read_bytes(), expected)

    def test_numbers_do_not_depend_on_the_locale(self):
        expected = self.train("--steps", "10", "--lr", "0.0125", save=self.folder / "a").read_bytes()
        model = self.train("--steps", "10", "--lr", "0.0125", save=self.folder / "b",
                           environment={"LC_ALL": "de_DE.UTF-8"})
        self.assertEqual(model.read_bytes(), expected)


if __name__ == "__main__":
    main()
