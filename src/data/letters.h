/* Images of letters, with which Darknet writes class names when it draws detections. */
#ifndef LETTERS_H
#define LETTERS_H

#include "darknet.h"

/* Loads the letters. letters[size][code] is the image of an ASCII character, code 32 to 126, in one of 8 sizes; the
 * other codes up to 127 have images without pixels. The result has the form that Darknet's load_alphabet returns and
 * its draw_detections takes.
 *
 * The images are <code>_<size>.png in the first of these folders that has them:
 *     data/labels                        below the current folder, as in Darknet
 *     ../darknet/data/labels             from the folder of the program, where `make` has built it (build/<variant>)
 *     ../share/darknet-ols/data/labels   from the folder of the program, where it is installed
 * For a symbolic link to the program, the folder is that of the link's target. If no folder has the letters, or one of
 * them is missing, the program ends with one line. The letters are never freed. */
image **load_letters(void);

#endif
