/* How src/eval reports what the user can put right. */
#ifndef COMPLAIN_H
#define COMPLAIN_H

#ifdef __cplusplus
extern "C" {
#endif

/* One line on stderr, "darknet: " in front; no line end in `format`. Returns 1, the status to hand up. */
int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#ifdef __cplusplus
}
#endif
#endif
