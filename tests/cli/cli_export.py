#!/usr/bin/env python3
"""unroll export: files of other programs, which import reads back."""

import array
import collections
import pickle
import zipfile

from command_line import CommandTest, main


class Unpickler(pickle.Unpickler):
    """Reads a state dict as torch.load(weights_only=True) does: these three names, and no others."""

    def __init__(self, file, archive):
        super().__init__(file)
        self.archive = archive

    def find_class(self, module, name):
        return {"collections.OrderedDict": collections.OrderedDict, "torch.FloatStorage": "float",
                "torch._utils._rebuild_tensor_v2": self.tensor}[f"{module}.{name}"]

    def persistent_load(self, pid):
        kind, storage_type, key, device, count = pid
        assert (kind, storage_type, device) == ("storage", "float", "cpu"), pid
        numbers = array.array("f", self.archive.read(f"archive/data/{key}"))
        assert len(numbers) == count, pid
        return numbers

    @staticmethod
    def tensor(storage, offset, shape, strides, requires_grad, hooks):
        assert (offset, requires_grad, hooks) == (0, False, {})
        return tuple(shape), storage


class Export(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.make_model("book.safetensors")

    def test_a_state_dict_is_a_pickle_of_three_names_and_python_stands_beside_it(self):
        done = self.succeed("export", self.model, "--to", "pytorch", "--save", self.folder / "book.pt")
        self.assertEqual(done.out, "")
        self.assertIn("book_model.py rebuilds the network", done.err)
        with zipfile.ZipFile(self.folder / "book.pt") as archive:
            self.assertIsNone(archive.testzip())
            with archive.open("archive/data.pkl") as file:
                tensors = Unpickler(file, archive).load()
        self.assertEqual(list(tensors)[:2], ["encoder.weight", "rnn.weight_ih_l0"])
        for shape, numbers in tensors.values():
            count = 1
            for length in shape:
                count *= length
            self.assertEqual(count, len(numbers))
        compile((self.folder / "book_model.py").read_text(encoding="utf-8"), "book_model.py", "exec")
        self.succeed("import", self.folder / "book.pt", "--save", self.folder / "again", "--quiet")
        self.assertEqual((self.folder / "again").read_bytes(), self.model.read_bytes())

    def test_the_python_beside_a_state_dict_can_be_imported_and_hides_no_module(self):
        for name, module in [("torch.pt", "torch_model"), ("my-book v2.1.pth", "my_book_v2_1_model"), ("z.py", "z_py_model"),
                             ("2026.pt", "_2026_model"), ("m", "m_model")]:
            self.assertTrue(module.isidentifier())
            folder = self.folder / module
            folder.mkdir()
            self.succeed("export", self.model, "--to", "pytorch", "--save", folder / name, "--quiet")
            self.assertEqual({path.name for path in folder.iterdir()}, {name, module + ".py"})

    def test_what_cannot_be_done_is_refused(self):
        self.refuse(2, ["--to"], "export", self.model, "--save", self.folder / "x")
        self.refuse(2, ["--save"], "export", self.model, "--to", "npz")
        self.refuse(2, ["onnx", "pytorch, safetensors, npz"], "export", self.model, "--to", "onnx", "--save", "x")
        self.write("book_model.py", "mine")
        self.refuse(2, ["book_model.py", "--overwrite"], "export", self.model, "--to", "pytorch", "--save",
                    self.folder / "book.pt")
        self.succeed("export", self.model, "--to", "npz", "--save", self.folder / "book.npz", "--quiet")
        self.refuse(2, ["--vocab", "exported by unroll"], "import", self.folder / "book.npz", "--vocab", "printable",
                    "--save", self.folder / "again")


main()
