"""What a published checkpoint says of its own weights: which files are read, and how they are understood.

| file | what it does |
|---|---|
| `folder.py` | what a person gives: config.json, a folder, a GGUF file |
| `published.py` | where the precision is said, in the order of engines, and the format of each module |
| `schemes.py`, `names.py` | quantization objects of the tools; lists of modules in them |
| `weight_files.py`, `tensors.py` | safetensors headers and their index; formats by types and sizes of tensors |
| `gguf.py`, `gguf_model.py` | headers of GGUF files; their entries as a config |
| `file_sizes.py`, `kept.py` | bytes of files beside bytes counted; what a saved model keeps of its files |
"""
