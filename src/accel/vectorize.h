/* How the loops of src/accel are compiled: one version per vector width, chosen when the program starts, since Darknet
 * is built for any x86-64. */
#ifndef VECTORIZE_H
#define VECTORIZE_H

/* Sanitizers instrument the choosing function before they are ready themselves. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define VECTORIZED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VECTORIZED
#endif

/* Elements below which a second thread costs more than it saves. */
enum { PARALLEL_FROM = 32768 };

#endif
