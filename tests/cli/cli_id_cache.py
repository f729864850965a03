#!/usr/bin/env python3
"""Id caches: a run from one makes the file of the run from its text, and a damaged one is refused."""

import gzip
import json
import random
import struct
import subprocess

from command_line import PATIENCE, SMALL, UNROLL, CommandTest, main, rows, run, sentence_text, sentences

RUN = [*SMALL, "--quiet", "--overwrite", "--steps", "12"]


class Cache:
    """A cache, read by another program."""

    def __init__(self, path):
        raw = path.read_bytes()
        magic, version, self.width, train, valid, self.offset, length, _, _ = struct.unpack_from("<8s2I6Q", raw)
        assert (magic, version) == (b"unrolids", 1)
        self.header = json.loads(raw[64:64 + length])
        form = {2: "H", 4: "I"}[self.width]
        ids = struct.unpack_from(f"<{train + valid}{form}", raw, self.offset)
        assert self.offset % 4096 == 0 and len(raw) == self.offset + self.width * len(ids)
        self.train, self.valid = ids[:train], ids[train:]

    def fingerprint(self):
        """As a model file records the text: FNV-1a of the ids of both parts."""
        number = 0xCBF29CE484222325
        for part in (self.train, self.valid):
            for value in (*part, 0xFF):
                number = (number ^ value) * 0x100000001B3 % 2**64
        return f"{number:016x}, {len(self.train)} + {len(self.valid)} tokens"


class IdCache(CommandTest):
    def train(self, text, *flags, name="m.safetensors"):
        model = self.folder / name
        self.succeed("train", text, "--save", model, *RUN, *flags)
        return model.read_bytes()

    def cache(self, text, *flags, name="text.ids", **options):
        path = self.folder / name
        texts = text if isinstance(text, list) else [text]
        self.succeed("tokenize", *texts, "--to", "ids", "--save", path, "--quiet", *flags, **options)
        return path

    def recorded_text(self, text):
        self.train(text)
        model = self.succeed("inspect", self.folder / "m.safetensors", "--json").out
        return json.loads(model)["training"]["options"]["text"]

    def test_a_run_from_a_cache_makes_the_file_of_the_run_from_the_text(self):
        pieces = self.folder / "p.model"
        self.succeed("tokenize", "train", self.text, "--vocab-size", "36", "--save", pieces, "--quiet")
        vocabulary = self.write("vocab.txt", "the\ncat\nsees\nriver\n")
        self.write("odd.txt", "The Cat sees the cat\r\nsaw \u00e9\u20ac\n\nthe end" + " of it" * 50)
        for text in (self.text, self.folder / "odd.txt"):
            for flags in ([], ["--tokenizer", "byte", "--valid-split", "0.3"], ["--state", "reset"],
                          ["--tokenizer", "word", "--lowercase", "--vocab-size", "12"],
                          ["--tokenizer", "whitespace", "--min-count", "2", "--valid-split", "0"],
                          ["--tokenizer", "whitespace", "--vocab", vocabulary], ["--tokenizer", pieces]):
                path = self.cache(text, *flags, "--overwrite")
                state = flags if "reset" in flags else []
                self.assertEqual(self.train(path, *state), self.train(text, *flags), flags)

    def test_the_text_to_validate_on_may_be_a_cache_or_text(self):
        other = self.write("other.txt", sentence_text(30, seed=9))
        flags = ["--tokenizer", "word", "--valid-tokens", "100"]
        wanted = self.train(self.text, *flags, "--valid", other)
        cache = self.cache(self.text, "--tokenizer", "word", "--valid-split", "0")
        held = self.cache(other, "--tokenizer", cache, "--valid-split", "0", name="valid.ids")
        for text, valid in [(cache, other), (cache, held), (self.text, held)]:
            self.assertEqual(self.train(text, "--valid", valid, *flags), wanted)
        with_tail = self.cache(self.text, "--tokenizer", "word", name="tail.ids")
        for text, valid in [(with_tail, other), (cache, with_tail)]:
            self.refuse(2, ["holds out 0.1", "--valid-split of 0"], "train", text, "--valid", valid, "--save",
                        self.folder / "x", *RUN)
        chars = self.cache(other, "--valid-split", "0", name="char.ids")
        self.refuse(2, ["char.ids", "tokenizer is char", "run's is word"], "train", cache, "--valid", chars, "--save",
                    self.folder / "x", *RUN)

    def test_the_file_is_as_documented(self):
        path = self.cache(self.text, "--tokenizer", "whitespace")
        cache = Cache(path)
        self.assertEqual(cache.fingerprint(), self.recorded_text(path))
        self.assertEqual(cache.width, 2)
        model = self.folder / "m.safetensors"
        lines = rows(self.succeed("tokenize", self.text, "--tokenizer", model, "--ids").out)
        ids = [int(number) for line in lines for number in f"{line} 1".split()]  # 1: <eos>
        self.assertEqual([*cache.train, *cache.valid], ids)
        self.assertEqual(json.loads(cache.header["tokenizer"])["symbols"][:2], ["<unk>", "<eos>"])
        shown = json.loads(self.succeed("inspect", path, "--json").out)
        for part, ids in (("train", cache.train), ("valid", cache.valid)):
            self.assertEqual(shown[part]["ids"], len(ids))
            self.assertEqual({**shown[part], **cache.header[part]}, shown[part])
        self.assertEqual(shown["train"]["bytes"] + shown["valid"]["bytes"], self.text.stat().st_size)

    def test_a_large_vocabulary_has_ids_of_four_bytes(self):
        text = self.write("many.txt", "".join(f"w{i} w{i + 1}\n" for i in range(75000)))
        path = self.cache(text, "--tokenizer", "whitespace")
        self.assertEqual(Cache(path).width, 4)
        self.assertEqual(self.train(path, "--valid-tokens", "50"),
                         self.train(text, "--tokenizer", "whitespace", "--valid-tokens", "50"))

    def test_a_text_of_many_pieces_has_the_ids_of_the_whole(self):
        dice = random.Random(5)
        line = "".join(dice.choice("ab \r\u00e9\u20ac") for _ in range(1_500_000))
        lined = "".join(dice.choice(["a b", "c\r", "", " \u00e9 "]) + "\n" for _ in range(900_000))
        for name, content, kinds in [("line.txt", line, ["char", "byte"]), ("lines.txt", lined, ["whitespace"])]:
            text = self.write(name, content)
            self.assertGreater(text.stat().st_size, 2 << 20)
            for kind in kinds:
                flags = ["--valid-tokens", "50"]
                path = self.cache(text, "--tokenizer", kind, "--overwrite")
                self.assertEqual(self.train(path, *flags), self.train(text, "--tokenizer", kind, *flags), (name, kind))

    def test_a_long_line_is_not_cut_within_a_character_nor_behind_a_carriage_return(self):
        model = self.make_model("plain.safetensors")  # for which a carriage return is a symbol within a line alone
        for middle in ("\r", "\r\r", "\u20ac", "\ra"):
            text = self.write("long.txt", "t" * ((2 << 20) - 1) + middle + "h" * 300 + "\n")
            cache = Cache(self.cache(text, "--tokenizer", model, "--valid-split", "0", "--overwrite"))
            ids = rows(self.succeed("tokenize", text, "--tokenizer", model, "--ids").out)[0].split()
            self.assertEqual(len(cache.train), len(ids) + 1, repr(middle))
            self.assertEqual(cache.train[-303:-1], tuple(map(int, ids[-302:])))

    def test_texts_come_from_pipes_gzip_and_several_files(self):
        wanted = self.cache(self.text).read_bytes()
        piped = self.cache("-", name="a.ids", stdin=self.text.read_bytes())
        packed = self.cache(self.write("text.gz", gzip.compress(self.text.read_bytes())), name="b.ids")
        lines = self.text.read_bytes().splitlines(keepends=True)
        parts = [self.write("1.txt", b"".join(lines[:50])[:-1]), self.write("2.txt", b"\xef\xbb\xbf" + b"".join(lines[50:]))]
        for path in (piped, packed, self.cache(parts, name="c.ids")):
            self.assertEqual(path.read_bytes(), wanted)

    def test_eval_of_a_cache_is_that_of_the_text(self):
        for kind in ("char", "byte", "word"):
            model = self.make_model(f"{kind}.safetensors", "--tokenizer", kind)
            text = self.write("t.txt", sentence_text(20, seed=3) + "\u00e9t\u00e9 of x")
            path = self.cache(text, "--tokenizer", model, "--valid-split", "0", "--overwrite")
            both = [json.loads(self.succeed("eval", model, file, "--json", "--quiet").out) for file in (text, path)]
            for result in both:
                result.pop("text", None)
                for key in [key for key in result if "second" in key or "per_s" in key]:
                    result.pop(key)
            self.assertEqual(*both)
        self.refuse(2, ["text.ids", "tokenizer is word", "model's is char"], "eval", self.shared / "char.safetensors", path)
        self.refuse(2, ["alone"], "eval", model, path, self.text)
        tail = self.cache(self.text, "--tokenizer", model, name="tail.ids")
        self.refuse(2, ["holds out 0.1", "make it with a --valid-split of 0"], "eval", model, tail)

    def test_a_finished_or_stopped_run_knows_its_text_again(self):
        path = self.cache(self.text)
        model = self.folder / "m.safetensors"
        self.train(self.text)
        flags = [flag for flag in RUN if flag != "--overwrite"]
        self.succeed("train", path, "--save", model, *flags, "--resume")
        other = self.cache(self.write("o.txt", sentence_text(150, seed=2)), name="o.ids")
        self.refuse(2, ["cannot resume", "the text is"], "train", other, "--save", model, *flags, "--resume")
        # Killed in the middle, and gone on with from the cache.
        steps = [*SMALL, "--quiet", "--steps", "1200", "--save-every", "20", "--validate-every", "400"]
        self.succeed("train", path, "--save", self.folder / "whole.safetensors", *steps)
        half = self.folder / "half.safetensors"
        with subprocess.Popen([UNROLL, "train", self.text, "--save", half, *steps]) as process:
            resume = half.with_name(half.name + ".resume")
            while process.poll() is None and not resume.exists():
                pass
            process.kill()
            process.wait(timeout=PATIENCE)
        self.succeed("train", path, "--save", half, *steps, "--resume")
        self.assertEqual(half.read_bytes(), (self.folder / "whole.safetensors").read_bytes())

    def test_flags_that_contradict_a_cache_are_refused(self):
        path = self.cache(self.text, "--tokenizer", "word", "--min-count", "2")
        save = ["--save", self.folder / "x.safetensors", *RUN]
        for flags in [["--tokenizer", "char"], ["--lowercase"], ["--min-count", "1"], ["--vocab-size", "9"],
                      ["--vocab", self.text], ["--valid-split", "0.2"], ["--valid-split", "0"]]:
            self.refuse(2, ["text.ids", "is an id cache", flags[0]], "train", path, *flags, *save)
        self.train(path, "--tokenizer", "word", "--min-count", "2", "--valid-split", "0.1")
        self.refuse(2, ["--state carry"], "train", self.cache(self.text, name="c.ids"), "--state", "reset", *save)
        self.refuse(2, ["is an id cache", "one cache of all"], "train", path, self.text, *save)
        self.refuse(2, ["is an id cache", "language model"], "train", "--task", "classify", path, *save)
        model = self.make_model("chars.safetensors")
        self.refuse(2, ["tokenizer is word", "model's is char"], "train", path, "--from", model, "--steps", "2",
                    "--save", self.folder / "x.safetensors")
        for flags in [["--lowercase"], ["--vocab-size", "9"]]:
            self.refuse(2, ["has a vocabulary"], "tokenize", self.text, "--to", "ids", "--tokenizer", path, *flags,
                        "--save", self.folder / "y.ids")

    def test_verbs_that_read_text_say_what_a_cache_is(self):
        path = self.cache(self.text)
        packed = self.write("text.ids.gz", gzip.compress(path.read_bytes()))
        model = self.make_model("reads.safetensors")
        words = ["is an id cache", "train, eval and inspect read it"]
        for verb in ("score", "features", "eval", "tune"):
            for text in (packed, path)[:1 if verb == "eval" else 2]:
                self.refuse(1, [str(text), *words], verb, model, text)
            self.refuse(1, ["standard input", *words], verb, model, "-", stdin=path.read_bytes())
        save = ["--save", self.folder / "x.safetensors", *RUN]
        self.refuse(1, [str(packed), *words], "train", packed, *save)
        labelled = self.write("labelled.txt", "".join(f"__label__{'ab'[i % 2]} text {i}\n" for i in range(40)))
        self.refuse(1, [str(path), *words], "train", "--task", "classify", labelled, "--unlabelled", path, *save)
        self.refuse(1, ["text.ids", *words], "tokenize", path, "--tokenizer", model)
        # The word alone is text, whole or in pieces, and so is anything to a model of bytes.
        for text in (b"unrolids", b"unrolids\n", b"unr", b"unrolids\1\0\0"):
            self.succeed("score", model, "-", stdin=text)
        self.succeed("score", self.make_model("any.safetensors", "--tokenizer", "byte"), path)

    def test_flags_of_tokenize_that_do_not_fit_name_those_that_do(self):
        save = ["--save", self.folder / "x.ids"]
        self.refuse(2, ["--save is for an id cache", "--to ids"], "tokenize", self.text, *save)
        self.refuse(2, ["--to ids"], "tokenize", self.text, f"--save={self.folder / 'x.ids'}", "--tokenizer", "char")
        self.assertNotIn("--save", self.succeed("tokenize", "--save", "x.ids", "--help").out.split("Examples")[0])
        self.refuse(2, ["'nosuch'", "model file", "id cache", "FILE.model"], "tokenize", self.text, "--to", "ids",
                    "--tokenizer", "nosuch", *save)

    def test_a_file_is_replaced_as_a_whole_or_not_at_all(self):
        path = self.cache(self.text)
        before = path.read_bytes()
        tokenize = ["tokenize", "--to", "ids", "--save", path]
        self.refuse(2, ["exists", "--overwrite"], *tokenize, self.text)
        self.refuse(2, ["would replace"], *tokenize, path, "--overwrite")
        for content in [b"", b"\xff\xfe\xff", b"aaa\xff", b"a"]:
            self.refuse(1, ["bad.txt"], *tokenize, self.write("bad.txt", content), "--overwrite")
        self.refuse(2, ["--save"], "tokenize", self.text, "--to", "ids")
        self.assertEqual(path.read_bytes(), before)
        self.assertEqual(sorted(file.name for file in self.folder.iterdir()), ["bad.txt", "text.ids"])

    def test_damaged_files_are_refused(self):
        path = self.cache(self.text, "--tokenizer", "whitespace")
        raw = path.read_bytes()
        bad = self.folder / "bad.ids"
        header = 64 + struct.unpack_from("<Q", raw, 40)[0]
        dice = random.Random(1)

        def read(content, *arguments):
            bad.write_bytes(content)
            done = run(*arguments, bad, *(["--save", self.folder / "x.safetensors", *RUN] if "train" in arguments else []))
            self.assertIn(done.status, (0, 1, 2), done.err)
            return done

        for size in [8, 20, 63, 64, 70, header, 4096, len(raw) - 2, len(raw) - 1]:
            self.assertIn("bad.ids' ", read(raw[:size], "train").err)
        self.assertIn("after its last id", read(raw + b"\0\0", "train").err)
        for at in [*range(8, 64), *dice.sample(range(64, header), 10)]:
            changed = raw[:at] + bytes([raw[at] ^ 1 << dice.randrange(8)]) + raw[at + 1:]
            done = read(changed, "inspect")
            self.assertIn("bad.ids' ", done.err, at)
            self.assertEqual(done.status, 1)
        first = struct.unpack_from("<Q", raw, 32)[0]
        self.assertIn("checksum of its ids", read(raw[:first] + b"\5" + raw[first + 1:], "inspect").err)
        for command in ("train", "inspect"):
            done = read(raw[:first + 2] + b"\x50\xc3" + raw[first + 4:], command)
            self.assertEqual(done.status, 1)
            self.assertIn("id number 2 is 50000: expected one below", done.err)
        self.assertIn("safetensors", read(b"unrolid" + raw[8:], "inspect").err)

    def test_ids_that_became_others_of_the_vocabulary_are_refused(self):
        path = self.cache(self.text, "--tokenizer", "word", "--valid-split", "0")
        self.train(path)
        model = self.folder / "m.safetensors"
        tail = self.cache(self.text, name="tail.ids")
        save = ["--save", self.folder / "x.safetensors", *RUN]
        for cache, arguments in [(path, ["eval", model]), (path, ["train", *save]), (tail, ["train", *save]),
                                 (path, ["train", self.text, "--tokenizer", "word", *save, "--valid"])]:
            raw = cache.read_bytes()
            self.assertNotEqual(raw[-4:-2], raw[-2:])
            cache.write_bytes(raw[:-4] + raw[-2:] + raw[-4:-2])
            self.refuse(1, [cache.name, "checksum of its ids", "make it again"], *arguments, cache)
            cache.write_bytes(raw)
            self.succeed(*arguments, cache)


if __name__ == "__main__":
    main()
