/* Finds and loads the images of letters. */
#include "data/letters.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/lists.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIZES = 8, FIRST = 32, END = 127, CODES = 128 };

static void letter_path(char *path, size_t size, const char *folder, int code, int letter_size)
{
    snprintf(path, size, "%s/%d_%d.png", folder, code, letter_size);
}

/* Checks for the first letter, not for the folder: many data sets keep label files in data/labels, too. */
static int has_letters(const char *folder)
{
    char path[2 * PATH_MAX];
    letter_path(path, sizeof path, folder, FIRST, 0);
    return !access(path, R_OK);
}

/* Writes the first folder that has the letters; ends the program if there is none. */
static void find_letters(char *folder, size_t size)
{
    static const char *beside_program[] = {"../darknet/data/labels", "../share/darknet-ols/data/labels"};
    char program[PATH_MAX], *name;
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    int i;

    snprintf(folder, size, "data/labels");
    if (has_letters(folder)) return;
    program[length > 0 ? length : 0] = 0;
    name = strrchr(program, '/');
    if (name) *name = 0; /* what is left is the program's folder */
    for (i = 0; i < 2; ++i) {
        snprintf(folder, size, "%s/%s", program, beside_program[i]);
        if (has_letters(folder)) return;
    }
    die("cannot find the letters to draw names with: neither data/labels here nor %s or %s in %s has them",
        beside_program[0], beside_program[1], program);
}

image **load_letters(void)
{
    image **letters = (image **)xcalloc(SIZES, sizeof *letters);
    char folder[PATH_MAX + 64], path[2 * PATH_MAX];
    int size, code;

    find_letters(folder, sizeof folder);
    for (size = 0; size < SIZES; ++size) {
        letters[size] = (image *)xcalloc(CODES, sizeof *letters[size]);
        for (code = FIRST; code < END; ++code) {
            letter_path(path, sizeof path, folder, code, size);
            if (check_file("image of a letter", path)) exit(1);
            letters[size][code] = load_image_color(path, 0, 0);
        }
    }
    return letters;
}
