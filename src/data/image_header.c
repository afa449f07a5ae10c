#include "data/image_header.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
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

static unsigned little_endian(const unsigned char *bytes, int count)
{
    unsigned value = 0;
    while (count-- > 0) value = value << 8 | bytes[count];
    return value;
}

/* Whether the marker of the end, FF D9, comes at or behind `from`. */
static int has_jpeg_end(const image_file *file, long long from)
{
    unsigned char bytes[1 << 14];
    size_t count, i;
    while ((count = read_at(file, from, bytes, sizeof bytes)) > 1) {
        for (i = count - 1; i-- > 0;)
            if (bytes[i] == 0xff && bytes[i + 1] == 0xd9) return 1;
        from += (long long)count - 1;
    }
    return 0;
}

/* A decoder makes room for all pixels before it reads the first. A file that says much more than it can hold would take
 * gigabytes and minutes. */
static const char too_large[] = "its header says more pixels than so few bytes can hold";

/* ---- The formats: each returns what is wrong, or NULL ------------------------------------------------------------ */

/* Returns the next marker, the byte behind one or more FF, and sets *at to the byte behind it; -1 at the end of the
 * file. Bytes before the FF are skipped, as decoders do: some programs fill up the space between segments. */
static int next_marker(const image_file *file, long long *at)
{
    unsigned char bytes[512];
    size_t count, i;
    int follows = 0;
    while ((count = read_at(file, *at, bytes, sizeof bytes)) > 0) {
        for (i = 0; i < count; ++i) {
            if (follows && bytes[i] != 0xff) {
                *at += (long long)i + 1;
                return bytes[i];
            }
            follows = bytes[i] == 0xff;
        }
        *at += (long long)count;
    }
    return -1;
}

/* A JPEG is segments: a marker, two bytes of length, and what they count. The one with the size is called a frame. */
static const char *check_jpeg(const image_file *file)
{
    const double always_fine = 1 << 24, per_byte = 1024; /* pixels */
    const long long tail = 512;
    unsigned char bytes[7]; /* of a frame: its length, the bits of a sample, height and width */
    double pixels;
    long long at = 2;
    int marker;
    for (;;) {
        marker = next_marker(file, &at);
        if (marker == 0xd8) continue; /* the beginning again */
        if (marker == 0 || marker == 0xd9 || marker == 0xda) return "its header is damaged";
        if (marker < 0 || read_at(file, at, bytes, sizeof bytes) < sizeof bytes) return "it is cut off in its header";
        /* Frames are C0 to CF, but for C4, C8 and CC. */
        if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc) break;
        if (big_endian(bytes, 2) < 2) return "its header is damaged";
        at += big_endian(bytes, 2);
    }
    pixels = (double)big_endian(bytes + 3, 2) * big_endian(bytes + 5, 2);
    if (pixels == 0) return "it has no pixels";
    if (pixels > always_fine && pixels > per_byte * (double)file->size) return too_large;
    /* Most files have the marker at their very end; cameras and web sites add bytes behind it. */
    return (file->size - tail > at && has_jpeg_end(file, file->size - tail)) || has_jpeg_end(file, at)
               ? 0
               : "it is cut off: the end of the picture is missing";
}

/* A PNG is chunks: four bytes of length, a name, the bytes, four bytes of a checksum. */
static const char *check_png(const image_file *file)
{
    static const int channels[] = {1, 0, 3, 1, 2, 0, 4}; /* by the kind of colour */
    const double most_deflated = 1032;                   /* to one byte */
    const double most_bytes = 1 << 30;                   /* stb_image counts in int, and doubles */
    const unsigned char *first = file->first;
    unsigned char bytes[8], header[18]; /* length, name, width, height, bits, kind of colour */
    long long at = 8;
    double width, height, bits;
    if (!memcmp(first + 12, "CgBI", 4)) at += 12 + (long long)big_endian(first + 8, 4); /* an iPhone's */
    if (read_at(file, at, header, sizeof header) < sizeof header || memcmp(header + 4, "IHDR", 4))
        return "it is cut off in its header";
    width = big_endian(header + 8, 4);
    height = big_endian(header + 12, 4);
    if (width == 0 || height == 0) return "it has no pixels";
    if (header[17] >= sizeof channels / sizeof *channels || !channels[header[17]]) return "its header is damaged";
    bits = width * height * header[16] * channels[header[17]];
    if (bits / 8 > most_deflated * (double)file->size) return too_large;
    if (bits / 8 > most_bytes) return "it has more pixels than can be decoded";
    for (;;) {
        if (read_at(file, at, bytes, sizeof bytes) < sizeof bytes)
            return "it is cut off: the end of the picture is missing";
        if (!memcmp(bytes + 4, "IEND", 4)) return 0;
        at += 12 + (long long)big_endian(bytes, 4);
        if (at > file->size) return "it is cut off, or a length in it is damaged";
    }
}

static const char *check_bmp(const image_file *file)
{
    const unsigned char *first = file->first;
    const int is_old = little_endian(first + 14, 4) == 12; /* two bytes a side */
    double width, height;
    if (file->first_count < sizeof file->first) return "it is cut off in its header";
    width = is_old ? little_endian(first + 18, 2) : fabs((double)(int)little_endian(first + 18, 4));
    height = is_old ? little_endian(first + 20, 2) : fabs((double)(int)little_endian(first + 22, 4));
    if (width == 0 || height == 0) return "it has no pixels";
    /* at least a bit for a pixel; a BMP may be packed, but stb_image does not read such ones */
    return width * height / 8 > (double)file->size ? "it is cut off: the end of the picture is missing" : 0;
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
