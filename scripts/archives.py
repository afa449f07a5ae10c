"""Archives of published data sets: fetching them so that an interrupted run goes on, checking their sums, and unpacking
them so that nothing is written elsewhere. Used by get-voc, get-images and images-to-darknet.
"""

import collections
import contextlib
import gzip
import hashlib
import http.client
import lzma
import os
import re
import shutil
import stat
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
import zlib

from darknet_data import BadInput, PROGRAM, Progress, one_line, read_text, say

TRIES = 6  # give up after so many attempts without progress; the waits of 1, 2, 4, ... s add up to half a minute
CHUNK = 1 << 18

# url: where it is published; None where nobody may fetch it from there, or nobody can.
Archive = collections.namedtuple("Archive", "name url md5")


class CutOff(Exception):
    """A failure of the server or the connection after which another attempt is useful. What was fetched is kept."""


# ---- arguments ----

def add_archive_options(parser):
    parser.add_argument("--from", "--archives", dest="source", metavar="PLACE",
                        help="folder that holds the archives, or URL of such a folder, instead of the official server")
    sums = parser.add_mutually_exclusive_group()
    sums.add_argument("--no-verify", "--no-checksum", action="store_true", help="do not check the archives' MD5 sums")
    sums.add_argument("--md5", metavar="FILE", help="file with the archives' MD5 sums, instead of the official ones")


def is_url(text):
    return re.match(r"https?://", text) is not None


def check_source(source):
    """Raises BadInput if --from names neither an address nor a folder."""
    if source and "://" in source and not is_url(source):
        raise BadInput(f"--from {source}: must be a folder, or begin with http:// or https://")
    if source and not is_url(source) and not os.path.isdir(source):
        raise BadInput(f"--from {source}: no such folder")


def sums_for(args, archives):
    """{name: MD5} to check the archives by, or None."""
    if args.no_verify:
        return None
    return read_sums(args.md5, archives) if args.md5 else {archive.name: archive.md5 for archive in archives}


def read_sums(path, archives):
    """Reads MD5 sums from a file in the format of md5sum."""
    sums = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        fields = re.fullmatch(r"([0-9a-fA-F]{32})[ *]+(?:.*/)?([^/]+)", line.strip())
        if line.strip() and not fields:
            raise BadInput(f"{path}:{number}: not a line of md5sum's: MD5 and name")
        if fields:
            sums[fields[2]] = fields[1].lower()
    missing = [archive.name for archive in archives if archive.name not in sums]
    if missing:
        raise BadInput(f"{path}: has no MD5 of {', '.join(missing)}")
    return sums


# ---- fetching ----

def gigabytes(size):
    return f"{size / 1e9:.1f} GB" if size >= 5e7 else f"{size / 1e6:.1f} MB"


def elsewhere():
    return "name another place by --from: a folder that holds the archives, or the address of one"


def remote(url, call, *args, **options):
    """Returns call(...), which talks to a server. Raises BadInput for permanent errors, CutOff for all others."""
    try:
        return call(*args, **options)
    except (OSError, http.client.HTTPException) as error:
        reason = one_line(getattr(error, "reason", None) or error) or type(error).__name__
        if isinstance(error, urllib.error.HTTPError):
            reason = f"{error.code} {reason}"
            if error.code < 500 and error.code not in (408, 429):
                raise BadInput(f"{url}: {reason}: {elsewhere()}") from None
        raise CutOff(reason) from None


def open_url(url, first=0):
    """Requests a file from byte `first` on. Returns the server's answer."""
    headers = {"User-Agent": f"darknet-ols {PROGRAM}", "Accept-Encoding": "identity"}
    if first:
        headers["Range"] = f"bytes={first}-"
    return remote(url, urllib.request.urlopen, urllib.request.Request(url, headers=headers), timeout=60)


def insist(url, attempt, have=lambda: 0):
    """Calls attempt() until it does not raise CutOff. Gives up if TRIES in a row leave have() unchanged."""
    failures, before = 0, have()
    while True:
        try:
            return attempt()
        except CutOff as error:
            reason = error.args[0]
        failures = failures + 1 if have() == before else 1
        before = have()
        if failures == TRIES:
            raise BadInput(f"{url}: {reason}: run the same again to go on where it stopped, or {elsewhere()}")
        wait = 2 ** (failures - 1)
        say(f"{url}: {reason}; next try in {wait} s")
        time.sleep(wait)


def size_at(url):
    """The size of a file on a server, by a GET that is not read to its end, because not all servers support HEAD."""
    with open_url(url) as answer:
        size = answer.headers.get("Content-Length", "")
    if not size.isdigit():
        raise BadInput(f"{url}: the server does not say how large it is: {elsewhere()}")
    return int(size)


def size_of(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def store(file, chunk):
    """Writes to an unbuffered file, so that an error is raised here and not later."""
    rest = memoryview(chunk)
    try:
        while rest:
            rest = rest[file.write(rest):]
    except OSError as error:
        raise BadInput(f"{file.name}: {error.strerror}: make room, and run the same again to go on") from None


def fetch_on(url, part, total):
    """Fetches the rest of the file `part`. Raises CutOff if the connection ends before it has `total` bytes."""
    have = size_of(part)
    if have > total:
        say(f"{part}: is larger than {url}; from its beginning")
        os.unlink(part)
        have = 0
    if have == total:
        return
    with open_url(url, have) as answer:
        begins = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
        if have and not (answer.status == 206 and begins and int(begins[1]) == have):
            say(f"{url}: the server cannot go on in the middle of a file; from its beginning")
            have = 0
        progress = Progress(total, f"fetching {os.path.basename(url)}:", have)
        with open(part, "ab" if have else "wb", buffering=0) as file:
            while have < total:
                chunk = remote(url, answer.read, min(CHUNK, total - have))
                if not chunk:
                    raise CutOff(f"the connection ended after {gigabytes(have)} of {gigabytes(total)}")
                store(file, chunk)
                have += len(chunk)
                progress.at(have)
        progress.end()


def md5_of(path):
    sums, done = hashlib.md5(), 0
    progress = Progress(os.path.getsize(path), f"checking {os.path.basename(path)}:")
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            sums.update(chunk)
            done += len(chunk)
            progress.at(done)
    progress.end()
    return sums.hexdigest()


def check_sum(path, name, expected, fetched):
    if expected is None or (found := md5_of(path)) == expected[name]:
        return
    what = "remove it and run again to fetch it anew" if fetched else "put the official one there"
    raise BadInput(f"{path}: its MD5 is {found} and not {expected[name]}, so it is damaged or another archive: {what}; "
                   "--no-verify takes it as it is, --md5 names other sums")


def check_space(out, unpacked, to_fetch):
    """Raises BadInput if what is to be fetched and what is to be unpacked, in bytes, do not fit on the disk."""
    need = to_fetch + unpacked
    free = shutil.disk_usage(out).free
    if need > free:
        raise BadInput(f"{out}: needs {gigabytes(need)} ({gigabytes(to_fetch)} to fetch, {gigabytes(unpacked)} unpacked), "
                       f"and {gigabytes(free)} are free there: make room, or choose another folder")
    if to_fetch:
        say(f"fetching {gigabytes(to_fetch)}; {gigabytes(need)} on disk in all, {gigabytes(free)} are free")


def get_archives(out, archives, source, sums, trouble=""):
    """Returns {name: path} of the archives, which are in the folder `source`, or are fetched into OUT/archives: from the
    address `source`, or else from their own. Room for unpacking them into `out` is looked for as well.
    trouble: why an archive without an address cannot be fetched."""
    if source and not is_url(source):
        return archives_in(source, out, archives, sums)
    urls = {archive.name: f"{source.rstrip('/')}/{archive.name}" if source else archive.url for archive in archives}
    return fetch_archives(out, urls, sums, trouble)


def archives_in(folder, out, archives, sums):
    paths = {archive.name: os.path.join(folder, archive.name) for archive in archives}
    missing = [name for name, path in paths.items() if not os.path.isfile(path)]
    if missing:
        raise BadInput(f"--from {folder}: has no {', '.join(missing)}")
    check_space(out, sum(os.path.getsize(path) for path in paths.values()), 0)
    for name, path in paths.items():
        check_sum(path, name, sums, False)
    return paths


def fetch_archives(out, urls, sums, trouble):
    """Of {name: URL or None} fetches what is not in OUT/archives."""
    paths = {name: os.path.join(out, "archives", name) for name in urls}
    part = {name: path + ".part" for name, path in paths.items()}
    there = {name for name, path in paths.items() if os.path.exists(path)}
    missing = [name for name, url in urls.items() if not url and name not in there]
    if missing:
        raise BadInput(f"{', '.join(missing)}: cannot be fetched: {trouble}: name the folder that holds "
                       f"{'it' if len(missing) == 1 else 'them'} by --from")
    sizes, left = {}, 0
    for name, path in paths.items():
        if name in there:
            sizes[name] = os.path.getsize(path)
            continue
        sizes[name] = insist(urls[name], lambda: size_at(urls[name]))
        left += sizes[name] - min(sizes[name], size_of(part[name]))
    os.makedirs(os.path.join(out, "archives"), exist_ok=True)
    check_space(out, sum(sizes.values()), left)
    for name, path in paths.items():
        if name in there:
            check_sum(path, name, sums, True)
            continue
        insist(urls[name], lambda: fetch_on(urls[name], part[name], sizes[name]), lambda: size_of(part[name]))
        check_sum(part[name], name, sums, True)
        os.rename(part[name], path)
        say(f"{name}: {gigabytes(sizes[name])} fetched{'' if sums is None else ', its MD5 is right'}")
    return paths


# ---- unpacking ----

@contextlib.contextmanager
def made_whole(folder, keep=False):
    """Gives a work folder to fill, which is renamed to `folder` once the block has ended without an error. What a run
    that was killed left there is removed first, and what is there after an error is removed too; keep: neither."""
    work = os.path.join(os.path.dirname(folder), f".{os.path.basename(folder)}.unpacking")
    if not keep:
        shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work, exist_ok=keep)
    try:
        yield work
        os.rename(work, folder)
    finally:
        if not keep:
            shutil.rmtree(work, ignore_errors=True)


def tar_members(file):
    """(name, is a plain file, is a folder, function that opens it) of each member."""
    with tarfile.open(fileobj=file) as tar:
        for member in tar:
            yield member.name, member.isfile(), member.isdir(), lambda member=member: tar.extractfile(member)


def zip_members(file):
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            plain = not member.is_dir() and kind in (0, stat.S_IFREG)
            yield (member.filename.replace("\\", "/"), plain, member.is_dir(),
                   lambda member=member: archive.open(member))


def unpack(archive, folder, member_path):
    """Unpacks a tar or zip archive into the folder. member_path: a function of a member's name, in parts, that returns
    its path below the folder, in parts, or None where it is left out. Returns how many members were left out."""
    with open(archive, "rb") as file:
        progress = Progress(os.path.getsize(archive), f"unpacking {os.path.basename(archive)}:")
        others = unpack_file(file, archive, folder, member_path, lambda: progress.at(file.tell()))
        progress.end()
    return others


def unpack_file(file, archive, folder, member_path, after_each=lambda: None):
    """The same of a file that is open; `archive` is its name in messages.

    Only plain files are written, and by us, so that links and special files cannot lead elsewhere.
    """
    others = 0
    kind = "zip" if file.read(2) == b"PK" else "tar"
    file.seek(0)
    try:
        for name, plain, is_folder, open_member in (zip_members if kind == "zip" else tar_members)(file):
            parts = [part for part in name.split("/") if part not in ("", ".")]
            if name.startswith("/") or ".." in parts:
                raise BadInput(f"{archive}: holds {name!r}, which would be unpacked outside of the folder: not unpacked")
            path = member_path(parts) if plain and parts else None
            if path:
                target = os.path.join(folder, *path)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with open(target, "wb", 0) as copy, open_member() as content:
                    while chunk := content.read(CHUNK):
                        store(copy, chunk)
            elif not is_folder:
                others += 1
            after_each()
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile,
            NotImplementedError, RuntimeError) as error:  # the last two: what Python's zipfile cannot read
        raise BadInput(f"{archive}: no whole {kind} archive: {one_line(error)}") from None
    return others
