/* The letters that Darknet writes the names of classes with when it draws what a detector found. */
#ifndef LETTERS_H
#define LETTERS_H

#include "darknet.h"

/* letters[size][code] is the image of an ASCII character, code 32 to 126, in one of 8 sizes; the other codes up to 127
 * are images without pixels. This is what Darknet's load_alphabet returns, and Darknet's draw_detections takes.
 *
 * The images are <code>_<size>.png in the first of these folders that has them:
 *   data/labels                        below the current folder, as in Darknet
 *   ../darknet/data/labels             from the folder of the program, where `make` has built it (build/<variant>)
 *   ../share/darknet-ols/data/labels   from the folder of the program, where it is installed
 * A link to the program counts as the program that it leads to. Where no folder has the letters, or one of them is
 * missing, the program ends with one line. The letters stay in memory until the program ends. */
image **load_letters(void);

#endif
