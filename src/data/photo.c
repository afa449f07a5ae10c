/* Decodes photos, caches them, and crops, scales and recolours them. All pixels must equal Darknet's, bit for bit:
 * photo.h says why and names the test. */
#include "data/photo.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/vectorize.h"
#include "data/decoder_guard.h"
#include "data/image_header.h"

#include "image.h"
#include "stb_image.h"
#include "utils.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- The cache of decoded photos --------------------------------------------------------------------------------- */

/* The first photos are kept until the limit is reached, and none is ever removed: images are drawn at random, so all
 * are equally likely to be needed again. A pointer to a kept photo is therefore valid until the program ends. */
typedef struct {
    char *path;
    photo picture;
} entry;

static struct {
    pthread_mutex_t lock;
    entry *table; /* open addressing; at most half full */
    size_t slots; /* a power of two, or 0 */
    size_t entries;
    size_t bytes;
    size_t limit;
    int limited; /* 1: the limit was set */
} image_cache = {PTHREAD_MUTEX_INITIALIZER, 0, 0, 0, 0, 0, 0};

static size_t default_limit(void)
{
    const size_t most = (size_t)512 << 20;
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    if (pages <= 0 || size <= 0 || (size_t)pages / 8 > most / (size_t)size) return most;
    return (size_t)pages / 8 * (size_t)size;
}

void photo_set_limit(size_t bytes)
{
    image_cache.limit = bytes;
    image_cache.limited = 1;
}

size_t photo_kept(void)
{
    size_t bytes;
    pthread_mutex_lock(&image_cache.lock);
    bytes = image_cache.bytes;
    pthread_mutex_unlock(&image_cache.lock);
    return bytes;
}

/* The FNV-1a hash of a path. */
static uint64_t hash(const char *path)
{
    uint64_t h = 0xcbf29ce484222325ull;
    for (; *path; ++path) h = (h ^ (unsigned char)*path) * 0x100000001b3ull;
    return h;
}

/* The slot of a path, or the free slot for it. There is always a free slot. */
static entry *find(entry *table, size_t slots, const char *path)
{
    size_t i = (size_t)(hash(path) >> 20) & (slots - 1);
    while (table[i].path && strcmp(table[i].path, path)) i = (i + 1) & (slots - 1);
    return table + i;
}

/* Doubles the table when it is half full. Returns 0 if memory runs out; then no more photos are kept. */
static int make_room(void)
{
    size_t slots = image_cache.slots ? 2 * image_cache.slots : 1024, i;
    entry *table;
    if (2 * image_cache.entries < image_cache.slots) return 1;
    table = (entry *)calloc(slots, sizeof *table);
    if (!table) return 0;
    for (i = 0; i < image_cache.slots; ++i)
        if (image_cache.table[i].path) *find(table, slots, image_cache.table[i].path) = image_cache.table[i];
    free(image_cache.table);
    image_cache.table = table;
    image_cache.slots = slots;
    return 1;
}

static int look_up(const char *path, photo *p)
{
    int found = 0;
    pthread_mutex_lock(&image_cache.lock);
    if (image_cache.slots) {
        entry *e = find(image_cache.table, image_cache.slots, path);
        if (e->path) *p = e->picture, found = 1;
    }
    pthread_mutex_unlock(&image_cache.lock);
    return found;
}

/* Adds p to the cache if there is room, and returns p. If another thread has added the same photo first, p stays the
 * caller's. */
static photo keep(const char *path, photo p)
{
    /* Per entry, the table has up to four slots: it doubles when it is half full. */
    size_t size = (size_t)p.w * p.h * p.c + strlen(path) + 1 + 4 * sizeof(entry);
    pthread_mutex_lock(&image_cache.lock);
    if (!image_cache.limited) photo_set_limit(default_limit());
    if (size <= image_cache.limit && image_cache.bytes <= image_cache.limit - size && make_room()) {
        entry *e = find(image_cache.table, image_cache.slots, path);
        if (!e->path && (e->path = strdup(path))) {
            p.kept = 1;
            e->picture = p;
            image_cache.bytes += size;
            ++image_cache.entries;
        }
    }
    pthread_mutex_unlock(&image_cache.lock);
    return p;
}

/* ---- Decoding ---------------------------------------------------------------------------------------------------- */

/* The values of byte / 255 in load_image_stb, where -Ofast replaces the division by a multiplication. */
static float values[256];
static pthread_once_t values_are_there = PTHREAD_ONCE_INIT;

static void make_values(void)
{
    int i;
    for (i = 0; i < 256; ++i) values[i] = (float)(i * (1 / 255.));
}

/* Why photo_decode returned 0. */
static void undecodable(const char *path, char *reason, size_t size)
{
    if (!image_header_problem(path, reason, size)) snprintf(reason, size, "it cannot be decoded");
}

#ifdef OPENCV
/* Converts an image of floats back to the bytes that it was made from. Frees the image. */
static photo photo_of(image im)
{
    const size_t plane = (size_t)im.w * im.h;
    unsigned char *bytes = (unsigned char *)xmalloc(3 * plane);
    photo p = {im.w, im.h, 3, bytes, 0};
    size_t i;
    int c;
    for (c = 0; c < 3; ++c)
        for (i = 0; i < plane; ++i) bytes[3 * i + c] = (unsigned char)(im.data[c * plane + i] * 255 + .5f);
    free_image(im);
    return p;
}

/* Whether this is what load_image_cv returns for a file that it cannot decode: a black image of 10 x 10 pixels. */
static int is_black_square(image im)
{
    int i;
    if (im.w != 10 || im.h != 10) return 0;
    for (i = 0; i < im.w * im.h * im.c && im.data[i] == 0; ++i) continue;
    return i == im.w * im.h * im.c;
}

/* For a file that OpenCV cannot read, Darknet's load_image_cv runs a shell command that adds the file's name to
 * bad.list. This name has no characters that are special in a shell. */
static const char safe_folder[] = "/proc/self/fd/";

image photo_load_cv(char *path, int channels)
{
    char name[32], reason[256];
    image im = {0, 0, 0, 0};
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        snprintf(name, sizeof name, "%s%d", safe_folder, file);
        im = load_image_cv(name, channels);
        close(file);
    }
    if (!strncmp(path, safe_folder, strlen(safe_folder))) return im; /* photo_decode looks at it */
    undecodable(path, reason, sizeof reason);
    if (!im.data || is_black_square(im)) die("cannot load the image %s: %s", path, reason);
    return im;
}
#endif

int photo_size(const char *path, int *w, int *h)
{
    char reason[256];
    int channels_of_file;
    if (image_header_problem(path, reason, sizeof reason))
        return 0; /* or stb_image may look for a JPEG's header forever */
    return stbi_info(path, w, h, &channels_of_file) && *w > 0 && *h > 0;
}

/* What the decoder of this thread is at; zeros where photo_decode has not called it. */
static __thread struct {
    jmp_buf *caller;
    size_t most_bytes; /* of a block that grows */
} decoder;

void decoder_assertion_failed(const char *text)
{
    if (decoder.caller) longjmp(*decoder.caller, 1);
    die("an image cannot be decoded: it is damaged (%s)", text);
}

void *decoder_malloc(size_t bytes)
{
    const size_t small = 1 << 16; /* pictures are larger, and written as a whole */
    const size_t pixel = 16;      /* behind a picture */
    if (bytes > SIZE_MAX - pixel) return 0;
    return bytes <= small ? calloc(1, bytes + pixel) : malloc(bytes + pixel);
}

void *decoder_realloc(void *block, size_t bytes)
{
    return decoder.most_bytes && bytes > decoder.most_bytes ? 0 : realloc(block, bytes);
}

#ifndef OPENCV
static size_t size_of(FILE *file)
{
    struct stat status;
    return fstat(fileno(file), &status) ? 0 : (size_t)status.st_size;
}

/* The size of the whole file, and of a pixel of 16 bits and four channels, with room for doubling. */
static size_t most_bytes_of(FILE *file, int w, int h)
{
    const size_t pixel = 16, slack = 1 << 20;
    return 2 * size_of(file) + pixel * (size_t)w * (size_t)h + slack;
}

/* No format packs more pixels: 1032 bytes of eight into one byte of a PNG. A header of another format, of which
 * image_header.h looks at the name alone, could ask for gigabytes. */
static int has_too_many_pixels(FILE *file, int w, int h)
{
    const double always_fine = 1 << 24, per_byte = 8 * 1032, pixels = (double)w * h;
    return pixels > always_fine && pixels > per_byte * (double)size_of(file);
}

/* NULL: it cannot be decoded. What the decoder had allocated is lost where an assertion failed. */
static unsigned char *decode(FILE *file, photo *p)
{
    jmp_buf here;
    int channels_of_file;
    unsigned char *volatile bytes = 0;
    if (!setjmp(here)) {
        decoder.caller = &here;
        if (stbi_info_from_file(file, &p->w, &p->h, &channels_of_file) && p->w > 0 && p->h > 0 &&
            !has_too_many_pixels(file, p->w, p->h)) {
            decoder.most_bytes = most_bytes_of(file, p->w, p->h);
            bytes = stbi_load_from_file(file, &p->w, &p->h, &channels_of_file, 3);
        }
    }
    memset(&decoder, 0, sizeof decoder);
    return bytes;
}
#endif

int photo_decode(const char *path, photo *p)
{
    char reason[256];
#ifdef OPENCV
    char name[32];
    image im;
    int file;
    if (image_header_problem(path, reason, sizeof reason)) return 0;
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    snprintf(name, sizeof name, "%s%d", safe_folder, file);
    im = load_image_color(name, 0, 0);
    close(file);
    if (!im.data || is_black_square(im)) {
        free_image(im);
        return 0;
    }
    *p = photo_of(im);
    return 1;
#else
    FILE *file;
    memset(p, 0, sizeof *p);
    if (image_header_problem(path, reason, sizeof reason)) return 0;
    file = fopen(path, "rb");
    if (!file) return 0;
    p->c = 3;
    p->bytes = decode(file, p);
    fclose(file);
    return p->bytes != 0;
#endif
}

/* Looks in the cache, and decodes. */
static int open_photo(const char *path, photo *p)
{
    if (look_up(path, p)) return 1;
    if (!photo_decode(path, p)) return 0;
    *p = keep(path, *p);
    return 1;
}

static void refuse_image(const char *path)
{
    char reason[256];
    undecodable(path, reason, sizeof reason);
    die("cannot load the image %s: %s", path, reason);
}

photo photo_open(const char *path)
{
    photo p;
    if (!open_photo(path, &p)) refuse_image(path);
    return p;
}

image photo_load(const char *path, int w, int h)
{
    photo p;
    image whole, sized;
    if (!photo_decode(path, &p)) refuse_image(path);
    whole = photo_to_image(p);
    photo_close(p);
    if (!w || !h || (w == whole.w && h == whole.h)) return whole;
    sized = resize_image(whole, w, h);
    free_image(whole);
    return sized;
}

/* ---- Damaged images in a training -------------------------------------------------------------------------------- */

static struct {
    pthread_mutex_t lock;
    int waits;          /* for the training to ask */
    int skips;          /* takes others instead */
    char *failure;      /* the first one; NULL: none */
    char **paths, *bad; /* [n] of the list that is skipped in; bad: 1 for those that cannot be decoded */
    int n, skipped;
} training_images = {PTHREAD_MUTEX_INITIALIZER, 0, 0, 0, 0, 0, 0, 0};

void photo_wait_for_failures(void)
{
    training_images.waits = 1;
}

const char *photo_failure(void)
{
    const char *failure;
    pthread_mutex_lock(&training_images.lock);
    failure = training_images.failure;
    pthread_mutex_unlock(&training_images.lock);
    return failure;
}

void photo_skip_bad(void)
{
    training_images.skips = 1;
}

int photo_skips(void)
{
    return training_images.skips;
}

void photo_set_training_list(char **paths, int n)
{
    free(training_images.bad);
    training_images.paths = paths;
    training_images.n = n;
    training_images.bad = (char *)xcalloc(n, 1);
}

int photo_skipped(void)
{
    int skipped;
    pthread_mutex_lock(&training_images.lock);
    skipped = training_images.skipped;
    pthread_mutex_unlock(&training_images.lock);
    return skipped;
}

/* Counts the image at this place of the list, and says so once. */
static void note_bad(int place)
{
    char reason[256];
    int is_new;
    pthread_mutex_lock(&training_images.lock);
    is_new = !training_images.bad[place];
    training_images.bad[place] = 1;
    training_images.skipped += is_new;
    pthread_mutex_unlock(&training_images.lock);
    if (!is_new) return;
    undecodable(training_images.paths[place], reason, sizeof reason);
    report_note("skipped the image %s: %s", training_images.paths[place], reason);
}

/* The next image of the list that can be decoded, in a circle. Equal paths have equal addresses: those of the list. */
static int open_other(char **path, photo *p)
{
    int place, tried;
    for (place = 0; place < training_images.n && training_images.paths[place] != *path;) ++place;
    for (tried = 0; place < training_images.n && tried < training_images.n; ++tried) {
        note_bad(place);
        place = (place + 1) % training_images.n;
        if (!open_photo(training_images.paths[place], p)) continue;
        *path = training_images.paths[place];
        return 1;
    }
    return 0;
}

static photo black_pixel(void)
{
    photo p = {1, 1, 3, (unsigned char *)xcalloc(3, 1), 0};
    return p;
}

photo photo_open_for_training(char **path)
{
    char reason[256];
    photo p;
    if (open_photo(*path, &p) || (training_images.skips && open_other(path, &p))) return p;
    if (!training_images.waits) return photo_open(*path); /* ends the program */
    undecodable(*path, reason, sizeof reason);
    pthread_mutex_lock(&training_images.lock);
    if (!training_images.failure) {
        const size_t size = strlen(*path) + sizeof reason + 64;
        training_images.failure = (char *)xmalloc(size);
        snprintf(training_images.failure, size, "cannot load the image %s: %s", *path, reason);
    }
    pthread_mutex_unlock(&training_images.lock);
    return black_pixel();
}

image photo_load_for_training(char **path)
{
    photo p = photo_open_for_training(path);
    image im = photo_to_image(p);
    photo_close(p);
    return im;
}

void photo_close(photo p)
{
    if (!p.kept) free((void *)p.bytes);
}

image photo_to_image(photo p)
{
    image im = make_image(p.w, p.h, 3);
    const size_t plane = (size_t)p.w * p.h;
    size_t i;
    int c;
    pthread_once(&values_are_there, make_values);
    for (c = 0; c < 3; ++c)
        for (i = 0; i < plane; ++i) im.data[c * plane + i] = values[p.bytes[3 * i + c]];
    return im;
}

/* ---- Interpolation ----------------------------------------------------------------------------------------------- */

enum { CHUNK = 256 }; /* pixels whose source positions are computed at once */

/* Limits a source coordinate. All pixels outside of the image are 0, so it does not matter how far outside a position
 * is. NaN also becomes a position outside. */
static inline float clamp(float x, int size)
{
    return !(x >= -2) ? -2 : x > size ? size : x;
}

static inline int floor_of(float x)
{
    int i = (int)x;
    return i - ((float)i > x);
}

static inline float pixel(const photo *p, int x, int y, int c)
{
    if (x < 0 || x >= p->w || y < 0 || y >= p->h) return 0;
    return values[p->bytes[((size_t)y * p->w + x) * 3 + c]];
}

/* Interpolates the three channels at (x, y) as Darknet's bilinear_interpolate and writes them to `out`, `plane` floats
 * apart. The terms of the sum are in gcc's order. */
static inline void sample(const photo *p, float x, float y, float *out, size_t plane)
{
    int ix = floor_of(x), iy = floor_of(y), c;
    float right = x - ix, left = 1 - x + ix, below = y - iy, above = 1 - y + iy;
    float w00 = above * left, w01 = left * below, w10 = above * right, w11 = right * below;
    if (ix >= 0 && ix < p->w - 1 && iy >= 0 && iy < p->h - 1) {
        const unsigned char *a = p->bytes + ((size_t)iy * p->w + ix) * 3, *b = a + (size_t)p->w * 3;
        for (c = 0; c < 3; ++c)
            out[c * plane] = w00 * values[a[c]] + w01 * values[b[c]] + w10 * values[a[c + 3]] + w11 * values[b[c + 3]];
    } else {
        for (c = 0; c < 3; ++c)
            out[c * plane] = w00 * pixel(p, ix, iy, c) + w01 * pixel(p, ix, iy + 1, c) + w10 * pixel(p, ix + 1, iy, c) +
                             w11 * pixel(p, ix + 1, iy + 1, c);
    }
}

typedef float rgb __attribute__((vector_size(16))); /* red, green, blue, 0 */

/* The source column of an output pixel, and the weights of this column and of the next one. */
typedef struct {
    int x;
    float left, right;
} column;

/* Converts row y to floats and appends two black pixels. Rows below the photo are black. */
static void row_of_floats(const photo *p, int y, rgb *row)
{
    const unsigned char *bytes;
    int x;
    memset(row, 0, (p->w + 2) * sizeof *row);
    if (y >= p->h) return;
    bytes = p->bytes + (size_t)y * p->w * 3;
    for (x = 0; x < p->w; ++x, bytes += 3) {
        rgb colour = {values[bytes[0]], values[bytes[1]], values[bytes[2]], 0};
        row[x] = colour;
    }
}

/* Converts every source row once: it usually has fewer pixels than the output reads from it. */
void photo_place(photo p, int w, int h, int dx, int dy, image canvas)
{
    float step_x = 1 / (float)w * p.w, step_y = 1 / (float)h * p.h;
    int from_x = dx < 0 ? -dx : 0, to_x = w < canvas.w - dx ? w : canvas.w - dx;
    int from_y = dy < 0 ? -dy : 0, to_y = h < canvas.h - dy ? h : canvas.h - dy;
    size_t plane = (size_t)canvas.w * canvas.h, pitch = (size_t)p.w + 2;
    rgb *rows = (rgb *)xmalloc(2 * pitch * sizeof *rows); /* one for even source rows, one for odd ones */
    column *columns = (column *)xmalloc((w > 0 ? w : 1) * sizeof *columns);
    int held[2] = {-1, -1}, x, y, i;
    for (x = from_x; x < to_x; ++x) {
        float rx = clamp(x * step_x, p.w);
        int ix = floor_of(rx);
        columns[x].x = ix;
        columns[x].left = 1 - rx + ix;
        columns[x].right = rx - ix;
    }
    pthread_once(&values_are_there, make_values);
    for (y = from_y; y < to_y; ++y) {
        float ry = clamp(y * step_y, p.h), *out = canvas.data + (size_t)(y + dy) * canvas.w + dx;
        int iy = floor_of(ry);
        float below = ry - iy, above = 1 - ry + iy;
        const rgb *upper = rows + (iy % 2) * pitch, *lower = rows + ((iy + 1) % 2) * pitch;
        for (i = iy; i < iy + 2; ++i) {
            if (held[i % 2] == i) continue;
            row_of_floats(&p, i, rows + (i % 2) * pitch);
            held[i % 2] = i;
        }
        for (x = from_x; x < to_x; ++x) {
            int ix = columns[x].x;
            float left = columns[x].left, right = columns[x].right;
            /* In place_image, gcc multiplies the first pixel by its two weights one after the other; in
             * rotate_crop_image it does not. */
            rgb sum = upper[ix] * left * above + lower[ix] * (left * below) + upper[ix + 1] * (above * right) +
                      lower[ix + 1] * (right * below);
            out[x] = sum[0];
            out[x + plane] = sum[1];
            out[x + 2 * plane] = sum[2];
        }
    }
    free(rows);
    free(columns);
}

/* Source positions (rx, ry) of n output pixels of one row, from column x on. `row` is {sine, cosine, start x, start
 * y}. */
VECTORIZED static void places(int n, int x, const double *row, double half, double step, double shift, int w, int h,
                              float *rx, float *ry)
{
    double sine = row[0], cosine = row[1], start_x = row[2], start_y = row[3];
    int i;
#pragma omp simd
    for (i = 0; i < n; ++i) {
        double along = (x + i - half) * step + shift;
        rx[i] = clamp((float)(along * cosine + start_x), w);
        ry[i] = clamp((float)(along * sine + start_y), h);
    }
}

image photo_rotate_crop(photo p, float rad, float scale, int w, int h, float dx, float dy, float aspect)
{
    image crop = make_image(w, h, 3);
    size_t plane = (size_t)w * h;
    double inverse = 1 / (double)scale, step = aspect * inverse;
    float shift_x = dx / scale * aspect, shift_y = dy / scale;
    double row[4] = {sin(rad), cos(rad), 0, 0};
    float rx[CHUNK], ry[CHUNK];
    int x, y, i;
    pthread_once(&values_are_there, make_values);
    for (y = 0; y < h; ++y) {
        double down = (h * .5 - y) * inverse;
        row[2] = (down - shift_y) * row[0] + (float)(p.w * .5);
        row[3] = (shift_y - down) * row[1] + (float)(p.h * .5);
        for (x = 0; x < w; x += CHUNK) {
            int n = w - x < CHUNK ? w - x : CHUNK;
            float *out = crop.data + (size_t)y * w + x;
            places(n, x, row, w * .5, step, shift_x, p.w, p.h, rx, ry);
            for (i = 0; i < n; ++i) sample(&p, rx[i], ry[i], out + i, plane);
        }
    }
    return crop;
}

image photo_random_augment(photo p, float angle, float aspect, int low, int high, int w, int h)
{
    augment_args a = random_augment_args(make_empty_image(p.w, p.h, p.c), angle, aspect, low, high, w, h);
    return photo_rotate_crop(p, a.rad, a.scale, a.w, a.h, a.dx, a.dy, a.aspect);
}

image photo_center_crop(photo p, int w, int h)
{
    image im = photo_to_image(p), crop = center_crop_image(im, w, h);
    free_image(im);
    return crop;
}

/* ---- Colours ----------------------------------------------------------------------------------------------------- */

static inline float limited(float v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

/* Changes the colours of n pixels and converts them from HSV to RGB, in place: x, y and z are H, S and V, then R, G and
 * B. `hue` (-1 to 1) is added; `saturation` and `exposure` (of V) are factors. The hue of a grey pixel may be NaN. */
VECTORIZED static void change_and_convert(size_t n, float hue, float saturation, float exposure, float *x, float *y,
                                          float *z)
{
    size_t i;
#pragma omp simd
    for (i = 0; i < n; ++i) {
        /* Without a switch and without arithmetic in branches, so that gcc vectorizes the loop. */
        float hue_of_colour = y[i] == 0 ? 0 : x[i];
        float s = y[i] * saturation, v = z[i] * exposure, h = hue_of_colour + hue, turn, f, p, q, t, r, g, b;
        turn = h - 1;
        h = h > 1 ? turn : h;
        turn = h + 1;
        h = 6 * (h < 0 ? turn : h);
        f = h - (float)(int)h;
        p = (1 - s) * v;
        q = (1 - f * s) * v;
        t = ((f - 1) * s + 1) * v;
        r = h < 5 ? t : v;
        r = h < 4 ? p : r;
        r = h < 2 ? q : r;
        r = h < 1 ? v : r;
        g = h < 4 ? q : p;
        g = h < 3 ? v : g;
        g = h < 1 ? t : g;
        b = h < 5 ? v : q;
        b = h < 3 ? t : b;
        b = h < 2 ? p : b;
        x[i] = limited(s == 0 ? v : r);
        y[i] = limited(s == 0 ? v : g);
        z[i] = limited(s == 0 ? v : b);
    }
}

/* Calls Darknet's own rgb_to_hsv. Compiled with -Ofast, it divides with the processor's approximate reciprocal, and
 * other code would not give the same bits. */
void photo_distort(image im, float hue, float saturation, float exposure)
{
    size_t plane = (size_t)im.w * im.h;
    if (!(fabsf(hue) <= 1)) {
        distort_image(im, hue, saturation, exposure);
        return;
    }
    rgb_to_hsv(im);
    change_and_convert(plane, hue, saturation, exposure, im.data, im.data + plane, im.data + 2 * plane);
}

void photo_random_distort(image im, float hue, float saturation, float exposure)
{
    float dhue = rand_uniform(-hue, hue), dsat = rand_scale(saturation), dexp = rand_scale(exposure);
    photo_distort(im, dhue, dsat, dexp);
}
