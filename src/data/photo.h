/* Decoded images, and what the trainers do to them: the same pixels as Darknet's own functions, sooner.
 *
 * Darknet turns every image that it draws into floats as a whole, and interpolates and converts colours pixel by
 * pixel. A photo stays bytes, as it comes from the decoder; only the pixels that a crop needs become floats. Decoded
 * photos are kept, up to a limit, so that a small data set is read and decoded once.
 *
 * The constraint on all of it: the pixels are equal, bit for bit, to those of Darknet's own functions as gcc compiles
 * them with -Ofast on x86-64. That is why sums stand in the order that gcc gives them, why some weights are multiplied
 * together first and others are not, why bytes become floats by a multiplication, and why rgb_to_hsv stays Darknet's.
 * Whoever changes the arithmetic runs tests/unit/test_loading.c, which compares every function with Darknet's. On other
 * processors the results are equal but for rounding. The random numbers are drawn in Darknet's order.
 */
#ifndef PHOTO_H
#define PHOTO_H

#include "darknet.h"

#include <stddef.h>

typedef struct {
    int w, h, c;                /* c is 3 */
    const unsigned char *bytes; /* [h][w][c] */
    int kept;                   /* bytes are the cache's, not the caller's */
} photo;

/* Up to how many bytes photos are kept; 0: none. Default: 512 MiB, or an eighth of the memory where that is less.
 * Photos that are kept already stay. To be called while nothing is loaded. */
void photo_set_limit(size_t bytes);

/* How many bytes are kept. */
size_t photo_kept(void);

/* Width and height of the image in a file, from its first bytes. Returns 0 where it is none that can be decoded. */
int photo_size(const char *path, int *w, int *h);

/* The image in a file, with 3 channels, which is not kept. Returns 0 where it cannot be decoded; there is then nothing
 * to close. Any thread may call this; the caller frees the photo with photo_close. */
int photo_decode(const char *path, photo *p);

/* The image in a file, with 3 channels. A file that cannot be read ends the program as load_image_color does (with
 * OpenCV: gives what that gives). A file is taken to stay as it is while the program runs. Any thread may call this;
 * the caller frees the photo with photo_close. */
photo photo_open(const char *path);

void photo_close(photo p);

/* The whole photo as floats, as load_image_color has it. The caller frees the image. */
image photo_to_image(photo p);

/* place_image: p scaled to w by h, its corner at (dx, dy) of the canvas, which has 3 channels; what lies outside of the
 * canvas is left out. */
void photo_place(photo p, int w, int h, int dx, int dy, image canvas);

/* rotate_crop_image. The caller frees the image. */
image photo_rotate_crop(photo p, float rad, float scale, int w, int h, float dx, float dy, float aspect);

/* random_augment_image. The caller frees the image. */
image photo_random_augment(photo p, float angle, float aspect, int low, int high, int w, int h);

/* center_crop_image. The caller frees the image. */
image photo_center_crop(photo p, int w, int h);

/* distort_image and random_distort_image, of an image with 3 channels. */
void photo_distort(image im, float hue, float saturation, float exposure);
void photo_random_distort(image im, float hue, float saturation, float exposure);

#endif
