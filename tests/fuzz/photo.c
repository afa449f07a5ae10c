/* An image file, through stb_image with its guards. A photo that is decoded has all the pixels that its header says;
 * none takes more memory than it can need (-malloc_limit_mb of tests/fuzz/run). */
#include "fuzz.h"

#include "data/image_header.h"
#include "data/photo.h"

#include <string.h>

/* A picture of more pixels takes a second, in which a thousand others are decoded. */
enum { MOST_PIXELS = 1 << 16 };

typedef struct {
    const char *path;
    photo picture;
    int decoded;
} decoding;

/* Apart, as stb_image loses memory where a picture is damaged; its other users in Darknet do, too. */
static void decode(void *context)
{
    decoding *d = (decoding *)context;
    d->decoded = photo_decode(d->path, &d->picture);
}

static void check_pixels(photo p)
{
    const size_t bytes = (size_t)p.w * p.h * p.c;
    size_t i;
    unsigned long sum = 0;
    for (i = 0; i < bytes; ++i) sum += p.bytes[i];
    MUST(sum <= 255 * bytes);
}

void fuzz(const uint8_t *data, size_t size)
{
    decoding d = {fuzz_file(data, size), {0, 0, 0, 0, 0}, 0};
    char reason[256] = "";
    int w = 0, h = 0;
    const int wrong = image_header_problem(d.path, reason, sizeof reason);
    MUST(wrong == (*reason != 0));
    if (!photo_size(d.path, &w, &h) || (long long)w * h <= MOST_PIXELS) MUST(fuzz_survives(decode, &d));
    if (d.decoded) {
        photo p = d.picture;
        MUST(!wrong && p.w > 0 && p.h > 0 && p.c == 3 && p.bytes);
        MUST(photo_size(d.path, &w, &h) && p.w == w && p.h == h);
        check_pixels(p);
        photo_close(p);
    }
    fuzz_forget();
}
