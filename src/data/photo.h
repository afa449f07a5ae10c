/* Photos: decoded images, and the functions with which the trainers crop, scale and recolour them. They give the same
 * pixels as Darknet's own functions in less time.
 *
 * Darknet converts whole images to floats, and interpolates and converts colours pixel by pixel. A photo keeps the
 * bytes from the decoder, and only the pixels that a crop needs become floats. Photos are cached up to a limit, so a
 * small data set is read and decoded once.
 *
 * All pixels must be equal, bit for bit, to those of Darknet's functions as gcc compiles them with -Ofast on x86-64.
 * This is why sums are in the order that gcc chooses, why some weights are multiplied together first and others are
 * not, why bytes become floats by a multiplication, and why Darknet's rgb_to_hsv is used. After changing the
 * arithmetic, run tests/unit/test_loading.c, which compares every function with Darknet's. On other processors the
 * results are equal except for rounding. Random numbers are drawn in Darknet's order.
 */
#ifndef PHOTO_H
#define PHOTO_H

#include "darknet.h"

#include <stddef.h>

typedef struct {
    int w, h, c;                /* c is 3 */
    const unsigned char *bytes; /* [h][w][c] */
    int kept;                   /* 1: the bytes are the cache's, not the caller's */
} photo;

/* Sets how many bytes of photos are cached; 0: none. Default: 512 MiB, or an eighth of the memory if that is less.
 * Photos already in the cache stay. Not to be called while images are loaded. */
void photo_set_limit(size_t bytes);

/* The bytes that the cache holds. */
size_t photo_kept(void);

/* Reads width and height of the image in a file from its header. Returns 1, or 0 if the file cannot be decoded. */
int photo_size(const char *path, int *w, int *h);

/* Decodes the image in a file to 3 channels, without the cache. Returns 1; or 0 if it cannot be decoded, and there is
 * then nothing to close. A damaged file neither ends the program, nor takes memory for more pixels than it can hold
 * (image_header.h). Thread-safe. The caller frees the photo with photo_close. */
int photo_decode(const char *path, photo *p);

/* Returns the image in a file with 3 channels, from the cache if it is there. A file that cannot be read or decoded
 * ends the program with one line, if nothing below says otherwise; with OpenCV, Darknet itself would go on with a black
 * image. Files must not change while the program runs. Thread-safe. The caller frees the photo with photo_close. */
photo photo_open(const char *path);

#ifdef OPENCV
/* As Darknet's load_image_cv, in whose place host_guard.h puts it in Darknet's own files; but it ends the program with
 * one line where the image cannot be loaded, and no part of its name becomes a command of a shell. */
image photo_load_cv(char *path, int channels);
#endif

/* Darknet's load_image_color, with the same pixels: the image in a file with 3 channels, scaled to w x h where they are
 * not 0. Without the cache. Ends the program as photo_open does. The caller frees the image. */
image photo_load(const char *path, int w, int h);

/* As photo_open, for an image of a training, whose path is *path. After photo_skip_bad, a file that cannot be decoded
 * is replaced by the next one of the list that can, and *path becomes that one's. */
photo photo_open_for_training(char **path);

/* The same as floats, for load_data_region. The caller frees the image. */
image photo_load_for_training(char **path);

/* Lets a training end in its own way: photo_open_for_training gives a black pixel for a file that cannot be decoded,
 * and photo_failure then returns what is wrong with the first such file (in static memory); NULL as long as there is
 * none.
 */
void photo_wait_for_failures(void);
const char *photo_failure(void);

/* Skips images that cannot be decoded; photo_skips tells whether that was called. */
void photo_skip_bad(void);
int photo_skips(void);

/* The list from which others are taken: the paths of the n images stay the caller's. */
void photo_set_training_list(char **paths, int n);

/* How many images of the list were found to be damaged, and skipped. */
int photo_skipped(void);

/* Frees a photo, unless the cache holds it. */
void photo_close(photo p);

/* Converts the whole photo to floats, as load_image_color does. The caller frees the image. */
image photo_to_image(photo p);

/* Darknet's place_image: scales p to w x h and writes it into `canvas` (3 channels) with its top left corner at (dx,
 * dy). Pixels outside of the canvas are left out. */
void photo_place(photo p, int w, int h, int dx, int dy, image canvas);

/* Darknet's rotate_crop_image. The caller frees the image. */
image photo_rotate_crop(photo p, float rad, float scale, int w, int h, float dx, float dy, float aspect);

/* Darknet's random_augment_image. The caller frees the image. */
image photo_random_augment(photo p, float angle, float aspect, int low, int high, int w, int h);

/* Darknet's center_crop_image. The caller frees the image. */
image photo_center_crop(photo p, int w, int h);

/* Darknet's distort_image and random_distort_image, in place, for an image with 3 channels. */
void photo_distort(image im, float hue, float saturation, float exposure);
void photo_random_distort(image im, float hue, float saturation, float exposure);

#endif
