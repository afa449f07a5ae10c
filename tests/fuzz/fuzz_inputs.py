"""The inputs that fuzz targets begin with. Seeds, and words to build inputs from, are written here; inputs that a run has
found are lines of inputs/<target>.txt, one each, with Python's escapes; lines that begin with "# " say what the next
ones are."""

import gzip
import io
import os
import struct
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))


def target_names():
    return sorted(name[:-2] for name in os.listdir(HERE) if name.endswith(".c") and name not in ("fuzz.c", "replay.c"))


def sanitizer_options(target):
    """ASAN_OPTIONS: Darknet's networks and its decoder lose memory."""
    leaks = target not in ("cfg_heads", "checkpoint", "photo")
    return f"detect_leaks={leaks:d}:allocator_may_return_null=1:quarantine_size_mb=4"


def kept_file(target):
    return os.path.join(HERE, "inputs", target + ".txt")


FOUND = "# reach more of the code, by tests/fuzz/run --keep"


def kept_lines(target):
    if not os.path.exists(kept_file(target)):
        return []
    with open(kept_file(target), encoding="ascii") as file:
        return file.read().splitlines()


def kept(target):
    """The inputs of inputs/<target>.txt."""
    return [line.encode().decode("unicode_escape").encode("latin1") for line in kept_lines(target)
            if not line.startswith("# ")]


def keep(target, inputs):
    """Replaces the inputs behind the line FOUND. Before it are those that have once failed, written by hand."""
    lines = kept_lines(target)
    lines = lines[:lines.index(FOUND)] if FOUND in lines else lines
    os.makedirs(os.path.dirname(kept_file(target)), exist_ok=True)
    with open(kept_file(target), "w", encoding="ascii") as file:
        for line in lines + [FOUND]:
            file.write(line + "\n")
        for data in inputs:
            text = data.decode("latin1").encode("unicode_escape").decode().replace("# ", "\\x23 ")
            file.write((text[:-1] + "\\x20" if text.endswith(" ") else text) + "\n")


# ---- Files of this project ------------------------------------------------------------------------------------------

def block(classes, rows=None):
    """A soft-label block (src/ols/ols.h)."""
    k = classes
    body = b"OLSstate" + struct.pack("<II4q", 1, k, 5, 2, 1, 0)
    body += struct.pack(f"<{k * k}f", *(rows or [1 / k] * k * k)) + struct.pack(f"<{k * k}f", *[.5] * k * k)
    body += struct.pack(f"<{2 * k}q", *[1] * k, *[2] * k)
    body += struct.pack("<Q", len(body) + 16)
    return body + struct.pack("<I", zlib.crc32(body)) + b"OLS\n"


def weights(tail, revision=0):
    """Weights of the network of checkpoint.c: 5 of the convolution, 8 + 2 of the connected layer."""
    return struct.pack("<3iQ", 0, 2, revision, 10) + struct.pack("<15f", *range(15)) + tail


def whole(tail, *arrays):
    """The same as a file with a trailer (src/train/trailer.h), with arrays of the optimiser's state."""
    file = weights(tail, 0x32534c4f)
    state = b"".join(struct.pack(f"<Q{len(array)}f", len(array), *array) for array in arrays)
    file += b"OLSwhole" + struct.pack("<IIQq", 1, len(arrays), 10, 1 if arrays else 0) + state
    file += struct.pack("<Q", 48 + len(state))
    return file + struct.pack("<I", zlib.crc32(file)) + b"OLS\n"


def pictures():
    """A picture in each format that is decoded; none where Python has no Pillow."""
    try:
        from PIL import Image
    except ImportError:
        return []
    found = []
    image = Image.new("RGB", (5, 4))
    image.putdata([(40 * x, 50 * y, 20 * (x + y)) for y in range(4) for x in range(5)])
    for kind, mode, options in (("JPEG", "RGB", {"quality": 60}), ("JPEG", "L", {"progressive": True}),
                                ("JPEG", "CMYK", {}), ("PNG", "RGB", {}), ("PNG", "P", {}), ("PNG", "LA", {}),
                                ("PNG", "1", {}), ("BMP", "RGB", {}), ("BMP", "P", {}), ("GIF", "P", {}),
                                ("TGA", "RGB", {"compression": "tga_rle"}), ("PPM", "RGB", {})):
        file = io.BytesIO()
        image.convert(mode).save(file, kind, **options)
        found.append(file.getvalue())
    return found


LOG = (b"iteration,epoch,images,loss,avg loss,rate,mAP,\"AP a, \"\"b\"\"\",other,best mAP\n"
       b"1,0.1000,64,2.5,2.5,0.001,,,,\n2,0.2000,128,-1e-3,2.4,0.001,0.250000,0.5,1,0.250000\n3,0.3,192,2,")
RESULT = (b'[{"image_id": 12, "category_id": 1, "bbox": [1, 2.5, 3, 4e0], "score": 0.9, "x": {"y": [null, true]}},\n'
          b' {"image_id": 7, "category_id": 2, "bbox": [0, 0, 1, 1], "score": -1}]')
COMPARED_MAP = (b'\1{"map": 0.5, "per_image": {"rules": "rules", "labels": 7, '
                b'"paths": ["a/12.jpg", "a/COCO_val_000007.jpg", "b/3_1.png"], "classes": ['
                b'{"name": "cat", "objects": [1], "ranked": [2, 1, -3]}, '
                b'{"name": "a dog", "objects": [3, 3], "ranked": [-1, 3, 3]}]}}')
COMPARED_METRICS = (b'\0{"images": {"paths": ["a/12.jpg", "a/COCO_val_000007.jpg", "b/3_1.png"], "labels": [0, 1, 1]}, '
                    b'"models": [{"top1": 1, "correct": [1, 0, 1]}]}')
THRESHOLD = (b'{"weights_crc32": 3421780262, "iteration": 1, "map": 0.5, "threshold": 0.25, "f1": null, '
             b'"classes": [{"name": "cat", "ap": null}]}')
CFG = (b"[net]\nbatch=4\nsubdivisions=2\nwidth=32\nheight=32\nchannels=3\nmax_batches=9\npolicy=steps\nsteps=2,4\n"
       b"scales=.1,.1\nburn_in=1\n# comment\n[convolutional]\nfilters=21\n[yolo]\nclasses=2\nnum=3\n[ols]\n")

SEEDS = {
    "label_file": [b"\5 0 .5 .5 .25 1\n1 0.1 0.2 0.3 0.4\r\n\n", b"\2\xef\xbb\xbf0 1e-1 .5 .5 .5", b"\1 0 0 0 0 0\n",
                   b"\3 1 1.0009 -0.0009 1.0009 1e-300", b"\3 nan 0x1 inf . 1", b"\3 0 .5 .5 .5 .5 6\n",
                   b"\2 3 .5 .5 .5 .5\n", b"\3 0 5 .5 .5 .5", b"\3 0 .5 -5 .5 .5", b"\3 0 .5 .5 0 .5", b"\3 0 .5 .5 .5 7",
                   b"\3 0 0 0 .5 .5"],
    "json": [b'{"a": [1, -2.5e3, null, true, false, "x\\u0041\\n\\"y\\ud83d"], "b": {}}', b"[[[[[]]]]]", b'["a", 1, null]',
             b"[1 2]", b'"abc', b"[-]", b"[01, 1.]", b"[" * 70,
             b'["' + b"a" * 300 + b'"]'],
    "detections": [b"\0" + RESULT, b"\1COCO_val_000007 0.5 1 2 3 4\n12 1e-3 -1 -2 1e3 4.5\r\n", b"\0[]", b"\1\n",
                   b"\0[{}]"],
    "comparison": [COMPARED_MAP, COMPARED_METRICS, b"\1{}", b"\0{}",
                   COMPARED_METRICS.replace(b"[1, 0, 1]", b"[1, 0, 1, 1]")],
    "threshold_file": [THRESHOLD, b"{}", THRESHOLD.replace(b"0.25", b"0.001"), THRESHOLD.replace(b"0.25", b"1"),
                       THRESHOLD.replace(b"0.25", b"null")],
    "soft_labels": [b"\0" + block(3), b"\1" + block(3), b"\1" + block(3, [1, 0, 0, 0, 0, 0, .3, .3, .4]),
                    b"\0" + block(2), b"\0" + block(3)[:-1]],
    "options": [b"smoothing=ols\nalpha=.5 # comment\nsoft_weight=2\nepsilon=0.1\nperiod=epoch\nstart=3\ninit=ls\n"
                b"empty=keep\nnormalise=hits\nsoft_temperature=.5\ndecay=.9\nfreeze=.7\n", b"period=10\nsmoothing=hard",
                b"alpha=1.5\nalpha=nan\nalpha=1e999\nperiod=1e9\nstart=-0"],
    "cfg_heads": [b"\0classes=2\nnum=1\nmask=0\nanchors=1,2\nsmoothing=ols\nalpha=.5\nclass_gain=2\nclass_loss=softmax\n"
                  b"iou_thresh=.5\nignore_thresh=.7\n", b"\1classes=2\nnum=1\nanchors=1,2\nsoftmax=1\nsmoothing=ls\n"
                  b"coords=4\nbias_match=1\nabsolute=1\n", b"\2classes=2\ncoords=4\nside=2\nnum=1\nsoftmax=0\nsqrt=1\n"
                  b"smoothing=ols\n", b"\3smoothing=ols\nperiod=2\ntemperature=2\nstart=1\n", b"\0classes=2\nnum=1\n"
                  b"smothing=ols\n", b"\0classes=2\nnum=1\nlabel_smooth_eps=.1\n"],
    "photo": pictures(),
    "checkpoint": [b"\0" + weights(block(2)), b"\1" + weights(block(2)), b"\4" + weights(b"")[:40], b"\0" + weights(b""),
                   b"\0" + weights(block(3)), b"\5" + weights(block(2) + block(2)), b"\0" + weights(block(2))[:-5],
                   b"\2" + whole(block(2)), b"\12" + whole(block(2), *[[]] * 5), b"\12" + whole(b"", [1], [2], [3], [4, 5], [6] * 8),
                   b"\12" + whole(block(2), [1], [2], [3], [4, 5], [6] * 8), b"\0" + whole(block(2))[:-48]],
    "training_log": [LOG, LOG.replace(b"mAP", b"top-1"), LOG.replace(b"other", b"mAP"), LOG.replace(b"2.5,2.5", b","),
                     b"\n"],
    "data_file": [b"classes= 2\ntrain = a/b.txt\r\nvalid=c\n# names=x\nnames=d\nbackup=.\ntruth=folder\nnoise=.25\n"
                  b"noise_seed=3\nsampling=epoch\n", b"classes=\n=3\nnoise\n", b"\xef\xbb\xbfclasses=3"],
    "lists": [b"a/1.jpg\na/2.jpg  \r\n\xef\xbb\xbfb\n\n\n", b"\xef\xbb\xbfcat\ndog\ncat\n", b"a\n\nb", b"\xff\xfea\0\n\0"],
    "cfg_file": [CFG, CFG.replace(b"batch=4", b"batch=0"), b"a=1\n[net]\n", b"[network]\nwidth=x\n"],
    "noise_table": [b"path\tworse\n12.jpg\t2\nCOCO_val_000007.jpg\t1\n3_1.png\t1\n",
                    b"1/12.jpg\t0\na/12.jpg\tcat\nCOCO_val_000007.jpg\ta dog\n3_1.png\t1\n",
                    b"path\tclean\tworse\na/12.jpg\t0\t1\nCOCO_val_000007.jpg\t1\t0\r\n3_1.png\t1\t1\n",
                    gzip.compress(b"path\tworse\n12.jpg\t0\nCOCO_val_000007.jpg\t1\n3_1.png\t1\n", mtime=0)],
}

JSON_WORDS = ['"', "{", "}", "[", "]", ":", ",", "null", "true", "false", "\\u0000", "1e308", "-1", "0.5"]
HEAD_WORDS = ["classes=", "num=", "mask=", "anchors=", "coords=", "side=", "smoothing=", "ols", "hard", "alpha=", "start=",
              "soft_weight=", "epsilon=", "period=", "epoch", "init=", "empty=", "uniform", "zero", "keep", "normalise=",
              "hits", "soft_temperature=", "decay=", "freeze=", "class_gain=", "class_loss=", "softmax", "sigmoid",
              "preset=", "cifar", "fine-grained", "ols-single", "bootsoft", "boothard", "disturb", "sce", "gce", "pc", "tfkd",
              "boot_beta=", "disturb_alpha=", "sce_alpha=", "sce_beta=", "sce_a=", "gce_q=", "pc_lambda=", "pc_start=",
              "tfkd_alpha=", "tfkd_c=", "tfkd_temperature=", "iou_thresh=", "background=1", "tree=", "map=", "max=", "jitter=", "random=1", "temperature=", "groups=1"]
WORDS = {
    "label_file": ["0 ", ".5 ", "1e-3", "-0.001", "\n", "\\xef\\xbb\\xbf", "1.001"],
    "json": JSON_WORDS,
    "detections": JSON_WORDS + ["image_id", "category_id", "bbox", "score", "12", "7", "3_1", "COCO_val_000007", "inf"],
    "comparison": JSON_WORDS + ["per_image", "rules", "labels", "paths", "classes", "name", "objects", "ranked", "cat",
                                "a dog", "images", "models", "correct", "a/12.jpg", "b/3_1.png"],
    "threshold_file": JSON_WORDS + ["weights_crc32", "threshold", "3421780262", "0.005"],
    "options": HEAD_WORDS,
    "cfg_heads": HEAD_WORDS,
    "checkpoint": ["OLSstate", "OLS\\x0a"],
    "soft_labels": ["OLSstate", "OLS\\x0a"],
    "photo": ["\\xff\\xd8\\xff", "\\xff\\xd9", "\\xff\\xda", "\\xff\\xc0", "\\xff\\xc2", "\\xff\\xc4", "\\xff\\xdd", "IHDR",
              "IDAT", "IEND", "PLTE", "tRNS", "CgBI", "GIF89a", "8BPS", "#?RADIANCE"],
    "training_log": ["iteration,epoch,images,loss,avg loss,rate,", "mAP", "best mAP\\x0a", "1e300", "-1", ",,,"],
    "data_file": ["classes=", "noise=", "noise_seed=", "truth=", "folder", "list", "train=", "names=", "backup="],
    "cfg_file": ["[net]", "[yolo]", "[region]", "[detection]", "classes=", "batch=", "subdivisions=", "policy=", "steps=",
                 "scales=", "max_batches=", "burn_in=", "channels=3", "width=", "height="],
    "noise_table": ["\\x09", "12.jpg", "COCO_val_000007.jpg", "3_1.png", "worse", "cat", "a dog"],
    "lists": ["\\xef\\xbb\\xbf", "\\x0d\\x0a"],
}


def write_inputs(target, folder):
    """Writes seeds and kept inputs as files of a folder; returns their paths."""
    os.makedirs(folder, exist_ok=True)
    paths = []
    for kind, inputs in (("seed", SEEDS[target]), ("kept", kept(target))):
        for number, data in enumerate(inputs, 1):
            paths.append(os.path.join(folder, f"{kind}-{number}"))
            with open(paths[-1], "wb") as file:
                file.write(data)
    return paths


def write_words(target, path):
    """Writes a dictionary for libFuzzer."""
    with open(path, "w", encoding="ascii") as file:
        for word in WORDS.get(target, []):
            text = word if word.startswith("\\x") else word.replace("\\", "\\\\").replace('"', '\\"')
            file.write('"' + text.replace("\n", "\\x0a") + '"\n')
