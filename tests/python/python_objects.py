#!/usr/bin/env python3
"""What every object of the module keeps to: how it is pickled and copied, that it was made, what its calls take."""

import copy
import decimal
import inspect
import pickle

import numpy

import unroll
from module_tests import CommandTest, main

# A State as pickle wrote it when the class had no constructor, of 2 layers of 1.
OLD_PICKLE = (b"\x80\x04\x95A\x00\x00\x00\x00\x00\x00\x00\x8c\x0cunroll._core\x94\x8c\x05State\x94\x93\x94)\x81\x94C\x1cunro"
              b"llS1\x02\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x80?\x00\x00\x00@\x94K\x02\x86\x94b.")


def classes():
    return [value for value in vars(unroll).values()
            if inspect.isclass(value) and value.__module__ == "unroll._core" and not issubclass(value, Exception)]


class Objects(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = unroll.Model.open(cls.make_model("char.safetensors"))
        cls.scorer = unroll.Scorer(cls.model)

    def one_of_each(self):
        generator = unroll.Generator(self.model)
        return [self.model, self.model.tokenizer, self.scorer, self.scorer.initial_state(), generator,
                generator.pieces("the", 3)]

    def test_states_are_pickled_by_every_protocol_and_nothing_else_is(self):
        self.assertGreaterEqual({cls.__name__ for cls in classes()}, {type(one).__name__ for one in self.one_of_each()})
        for one in self.one_of_each():
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
                if isinstance(one, unroll.State):
                    again = pickle.loads(pickle.dumps(one, protocol))
                    self.assertEqual((again, again.h.tolist()), (one, one.h.tolist()))
                    continue
                with self.assertRaisesRegex(TypeError, f"a {type(one).__name__} cannot be pickled or copied: "):
                    pickle.dumps(one, protocol)
            if isinstance(one, unroll.State):
                make, arguments = one.__reduce__()
                self.assertEqual({make(*arguments), copy.copy(one), copy.deepcopy(one)}, {one})
            else:
                for refused in (one.__reduce__, lambda: one.__reduce_ex__(0), lambda: copy.copy(one)):
                    self.assertRaises(TypeError, refused)

    def test_old_pickles_of_states_load_and_states_never_change(self):
        state = pickle.loads(OLD_PICKLE)
        self.assertEqual((state.h.tolist(), state.c, state.input), ([[1], [2]], None, 3))
        saved = state.__reduce__()[1]
        with self.assertRaisesRegex(TypeError, "never changes"):
            state.__setstate__(saved)
        for wrong in [(), (saved[0],), (saved[0], 3), (saved[0], 0), (saved[0][:-1], 2), (saved[0], 2 ** 70)]:
            self.assertRaises((unroll.Error, TypeError), lambda: unroll.State(*wrong))
            self.assertRaises((unroll.Error, TypeError), lambda: unroll.State.__new__(unroll.State).__setstate__(wrong))

    def test_objects_that_were_not_constructed_are_refused_wherever_they_are_used(self):
        self.assertEqual(len(classes()), 8)
        for cls in classes():
            for made_class in (cls, type("Derived", (cls,), {})):
                empty = made_class.__new__(made_class)
                for name, member in vars(cls).items():
                    if isinstance(member, property):
                        self.assertRaisesRegex(TypeError, "holds nothing", lambda: getattr(empty, name))
                    if name in ("__len__", "__hash__", "__next__", "__repr__"):
                        self.assertRaisesRegex(TypeError, "holds nothing", lambda: member(empty))
                self.assertRaises(TypeError, pickle.dumps, empty, 0)
        calls = [lambda model, state, tokenizer: unroll.Scorer(model), lambda model, *_: unroll.Generator(model),
                 lambda model, *_: unroll.Tagger(model), lambda model, *_: unroll.Classifier(model),
                 lambda model, *_: unroll.Classifier([model]), lambda model, *_: unroll.evaluate(model, "the"),
                 lambda model, state, tokenizer: self.scorer.step(state, 1), lambda _, state, __: state.copy(),
                 lambda _, state, __: self.scorer.next_log_probs(state), lambda _, state, __: copy.copy(state),
                 lambda _, state, __: state == self.scorer.initial_state(),
                 lambda _, state, __: self.scorer.initial_state() == state,
                 lambda _, __, tokenizer: tokenizer.decode([0]), lambda _, __, tokenizer: tokenizer.encode("a"),
                 lambda *_: unroll.Scorer.__new__(unroll.Scorer).score("the"),
                 lambda *_: unroll.Scorer.__new__(unroll.Scorer).initial_state(),
                 lambda *_: unroll.Generator.__new__(unroll.Generator).write("the"),
                 lambda *_: unroll.Generator.__new__(unroll.Generator).pieces("the"),
                 lambda *_: unroll.Tagger.__new__(unroll.Tagger).tag([["the"]]),
                 lambda *_: unroll.Classifier.__new__(unroll.Classifier).classify("the")]
        empties = [cls.__new__(cls) for cls in (unroll.Model, unroll.State, unroll.Tokenizer)]
        for call in calls:
            self.assertRaisesRegex(TypeError, "holds nothing", call, *empties)

    def test_ids_are_whole_numbers_of_the_vocabulary(self):
        tokenizer = self.model.tokenizer
        size = len(tokenizer)
        for ids in [[0, 2], (0, 2), numpy.array([0, 2], "u1"), numpy.array([0, 9, 2])[::2], numpy.array([0, 2], "u8"),
                    numpy.array([0, 2], ">i2"), iter([0, numpy.int64(2)]), numpy.array([0, 2], object)]:
            self.assertEqual(tokenizer.decode(ids), tokenizer.names[0] + tokenizer.names[2])
        self.assertEqual(tokenizer.decode([]), tokenizer.decode(numpy.array([])))
        for wrong in (-1, size, 2 ** 32, 2 ** 40, 2 ** 63, 2 ** 70, -2 ** 70):
            given = [[0, wrong]]
            if -2 ** 63 <= wrong < 2 ** 64:
                given.append(numpy.array([0, wrong], "u8" if wrong >= 2 ** 63 else "i8"))
            for ids in given:
                with self.assertRaisesRegex(unroll.Error, f"symbol {wrong} does not exist") as caught:
                    tokenizer.decode(ids)
                self.assertEqual((caught.exception.code, caught.exception.index), ("input", 1))
            with self.assertRaisesRegex(unroll.Error, f"symbol {wrong} does not exist") as caught:
                self.scorer.step(self.scorer.initial_state(), wrong)
            self.assertEqual(caught.exception.code, "usage")
        for ids in [[0.0], [1.5], [True], [None], ["a"], "ab", b"ab", None, 1, [[0, 1]], numpy.array([1.0]),
                    numpy.array([True]), numpy.zeros((2, 2), int), numpy.array(1), [decimal.Decimal(1)],
                    [numpy.float32(1)], [numpy.bool_(True)]]:
            self.assertRaisesRegex(TypeError, r"^(the ids|id 0) ", tokenizer.decode, ids)
        for token in (1.0, 1.5, True, None, "a", numpy.float32(1), numpy.array([1, 2])):
            self.assertRaisesRegex(TypeError, "^the id of a symbol is ", self.scorer.step, self.scorer.initial_state(), token)

    def test_arguments_that_are_wrong_are_named(self):
        for call, what in [(lambda: unroll.Scorer("a.safetensors"), r"Scorer\(\): the model is str: expected a Model"),
                           (lambda: unroll.Generator(None), r"Generator\(\): the model is NoneType"),
                           (lambda: unroll.Classifier("a"), r"Classifier\(\): the model is str"),
                           (lambda: unroll.Classifier([self.model, 1]), r"Classifier\(\): the model is int"),
                           (lambda: unroll.evaluate(self.scorer, "a"), r"evaluate\(\): the model is Scorer"),
                           (lambda: self.scorer.step(None, 1), "the state is NoneType: expected a State"),
                           (lambda: self.scorer.next_log_probs(1), "the state is int: expected a State"),
                           (lambda: unroll.Generator(self.model).write("a", 1.5), "'length' is float"),
                           (lambda: unroll.Scorer(self.model, threads=numpy.float32(1.5)), "'threads' cannot be float32"),
                           (lambda: unroll.Tokenizer.train("a", vocab_size="2"), "'vocab_size' is str")]:
            self.assertRaisesRegex(TypeError, what, call)
        for call, field in [(lambda: unroll.Generator(self.model, seed=-1), "seed"),
                            (lambda: unroll.Scorer(self.model, threads=2 ** 70), "threads"),
                            (lambda: unroll.Generator(self.model).pieces("a", 2 ** 70), "length")]:
            with self.assertRaisesRegex(unroll.Error, f"`{field}` is .*: expected ") as caught:
                call()
            self.assertEqual((caught.exception.code, caught.exception.field), ("usage", field))
        for lines in ("a\ud800", ["a\ud800"]):
            with self.assertRaisesRegex(unroll.Error, "line 1 has a lone surrogate") as caught:
                self.scorer.score(lines)
            self.assertEqual(caught.exception.index, 0)


if __name__ == "__main__":
    main()
