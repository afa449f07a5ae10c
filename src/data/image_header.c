#include "data/image_header.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* An open file, with its first bytes. */
typedef struct {
    int descriptor;
    long long size;
    unsigned char first[32]; /* zeros behind the end of the file */
    size_t first_count;
} image_file;

/* Reads `count` bytes at `offset`. Returns how many there are. */
static size_t read_at(const image_file *file, long long offset, unsigned char *bytes, size_t count)
{
    const ssize_t got = pread(file->descriptor, bytes, count, (off_t)offset);
    return got > 0 ? (size_t)got : 0;
}

static unsigned big_endian(const unsigned char *bytes, int count)
{
    unsigned value = 0;
    while (count-- > 0) value = value << 8 | *bytes++;
    return value;
}

/* Whether `wanted` is in the last bytes of the file. Cameras and web sites add some behind the picture's own end. */
static int ends_with_mark(const image_file *file, const char *wanted, size_t length)
{
    unsigned char bytes[4096];
    const long long from = file->size > (long long)sizeof bytes ? file->size - (long long)sizeof bytes : 0;
    const size_t count = read_at(file, from, bytes, sizeof bytes);
    size_t i;
    for (i = count; i-- > 0;)
        if (i + length <= count && !memcmp(bytes + i, wanted, length)) return 1;
    return 0;
}

/* ---- The formats: each returns what is wrong, or NULL ------------------------------------------------------------ */

/* A JPEG is segments: FF, a marker, two bytes of length. The one with the size is called a frame. */
static const char *check_jpeg(const image_file *file)
{
    long long at = 2;
    unsigned char bytes[10];
    int marker;
    for (;;) {
        if (read_at(file, at, bytes, sizeof bytes) < sizeof bytes) return "it is cut off in its header";
        if (bytes[0] != 0xff) return "its header is damaged";
        marker = bytes[1];
        if (marker == 0xff || marker == 0xd8) { /* a byte to fill, or the beginning again */
            at += marker == 0xff ? 1 : 2;
            continue;
        }
        if (marker == 0xd9 || marker == 0xda) return "its header is damaged";
        /* Frames are C0 to CF, but for C4, C8 and CC. */
        if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc) break;
        if (big_endian(bytes + 2, 2) < 2) return "its header is damaged";
        at += 2 + big_endian(bytes + 2, 2);
    }
    if (!big_endian(bytes + 5, 2) || !big_endian(bytes + 7, 2)) return "it has no pixels";
    return ends_with_mark(file, "\xff\xd9", 2) ? 0 : "it is cut off: the end of the picture is missing";
}

static const char *check_png(const image_file *file)
{
    if (file->first_count < 24 || memcmp(file->first + 12, "IHDR", 4)) return "it is cut off in its header";
    if (!big_endian(file->first + 16, 4) || !big_endian(file->first + 20, 4)) return "it has no pixels";
    return ends_with_mark(file, "IEND", 4) ? 0 : "it is cut off: the end of the picture is missing";
}

static const char *check_bmp(const image_file *file)
{
    return file->first_count < 26 ? "it is cut off in its header" : 0;
}

static const char *check_nothing(const image_file *file)
{
    (void)file;
    return 0;
}

static const struct {
    const char *magic;
    int offset, length;
    const char *(*check)(const image_file *file);
} formats[] = {
    {"\xff\xd8\xff", 0, 3, check_jpeg},
    {"\x89PNG\r\n\x1a\n", 0, 8, check_png},
    {"BM", 0, 2, check_bmp},
    {"GIF8", 0, 4, check_nothing},
    {"8BPS", 0, 4, check_nothing},
    {"P5", 0, 2, check_nothing},
    {"P6", 0, 2, check_nothing},
    {"#?RADIANCE", 0, 10, check_nothing},
    {"\x53\x80\xf6\x34", 0, 4, check_nothing}, /* PIC */
#ifdef OPENCV
    {"II*\0", 0, 4, check_nothing}, /* TIFF */
    {"MM\0*", 0, 4, check_nothing},
    {"WEBP", 8, 4, check_nothing},
#endif
};

/* A TGA has no magic: its colour map and its kind are of few values. */
static int may_be_tga(const image_file *file)
{
    const unsigned char *first = file->first;
    return file->first_count > 18 && first[1] <= 1 && strchr("\1\2\3\11\12\13", first[2]) && first[2] &&
           strchr("\10\17\20\30\40", first[16]) && first[16];
}

static const char *check_format(const image_file *file)
{
    size_t i;
    for (i = 0; i < sizeof formats / sizeof *formats; ++i)
        if (!memcmp(file->first + formats[i].offset, formats[i].magic, formats[i].length))
            return formats[i].check(file);
    return may_be_tga(file) ? 0 : "it is no JPEG, PNG or BMP";
}

int image_header_problem(const char *path, char *reason, size_t reason_size)
{
    const char *wrong = 0;
    image_file file;
    struct stat status;
    memset(&file, 0, sizeof file);
    /* Without O_NONBLOCK a pipe would wait for a writer. */
    file.descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file.descriptor < 0 || fstat(file.descriptor, &status)) {
        wrong = strerror(errno);
    } else if (!S_ISREG(status.st_mode)) {
        wrong = S_ISDIR(status.st_mode) ? "it is a folder" : "it is no file, but a pipe or a device";
    } else if (!status.st_size) {
        wrong = "it is empty";
    } else {
        file.size = status.st_size;
        file.first_count = read_at(&file, 0, file.first, sizeof file.first);
        wrong = file.first_count ? check_format(&file) : "it cannot be read";
    }
    if (file.descriptor >= 0) close(file.descriptor);
    if (wrong) snprintf(reason, reason_size, "%s", wrong);
    return wrong != 0;
}
