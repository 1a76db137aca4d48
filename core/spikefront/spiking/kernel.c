/* A neuron over a whole sequence, forward and backward, one block of neurons at a time: all steps of a block run
   while it is in the cache. Arrays are (T, N), C-contiguous. Filled in by kernel.py. */
#include <stdint.h>
#include <stdlib.h>

typedef $real real;
$machine
enum { BLOCK = 128, KEEPING = $keeping };

static inline real square(real z) { return z * z; }
static inline real magnitude(real z) { return z < 0 ? -z : z; }
static inline real larger(real a, real b) { return a > b ? a : b; }

/* 1 / z for z > 0, to a few units in the last place: in float, a guess from the exponent and three steps of Newton */
static inline real reciprocal(real z)
{
    if (sizeof(real) != sizeof(float))
        return 1 / z;
    const float bounded = z > (real)1e30 ? (real)1e30 : z;
    const union { float value; int32_t bits; } given = { .value = bounded };
    const union { int32_t bits; float value; } guess = { .bits = 0x7EF311C7 - given.bits };
    float r = guess.value;
    for (int k = 0; k < 3; k++)
        r = r * (2 - bounded * r);
    return r;
}

/* exp: 2^n times the Taylor series of the rest, which is at most ln(2)/2; a vector instruction at a time */
static inline real exponential(real z)
{
    z = z < LOWEST ? LOWEST : z;
    z = z > -LOWEST ? -LOWEST : z;
    const real scaled = z * (real)1.4426950408889634;
    const whole n = (whole)(scaled + (scaled < 0 ? (real)-0.5 : (real)0.5));
    const real rest = (z - (real)n * (real)0.693145751953125) - (real)n * (real)1.4286068203094172e-06;
    real sum = 1;
    for (int k = TERMS; k > 0; k--)
        sum = 1 + sum * rest * ((real)1 / (real)k);
    const union { whole bits; real value; } power = { .bits = (n + BIAS) << SHIFT };
    return sum * power.value;
}

static inline real derivative(const real v$shape) { return $derivative; }
#define surrogate(z) derivative(z$passed)

/* Ask for a row of the next block while this one is computed. */
static inline void fetch(const real *row)
{
#ifdef __GNUC__
    for (int64_t lane = BLOCK; lane < 2 * BLOCK; lane += 64 / (int64_t)sizeof(real))
        __builtin_prefetch(row + lane);
#endif
}

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

int64_t block_size(void) { return BLOCK; }

/* x -> spikes, and the states before the first step -> those after the last one; stride 0 repeats one value */
int forward(int64_t T, int64_t N, int threads, const double *values, const real *x, const real *const *start,
            const int64_t *stride, real *spikes, real *const *end)
{
    $constants
    #pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t from = 0; from < N; from += BLOCK) {
        const int64_t n = smaller(BLOCK, N - from);
        $memory
        for (int64_t lane = 0; lane < n; lane++) { $begin }
        for (int64_t t = 0; t < T; t++) {
            const real *restrict x_row = x + t * N + from;
            real *restrict s_row = spikes + t * N + from;
            fetch(x_row), fetch(s_row);
            #pragma omp simd
            for (int64_t lane = 0; lane < n; lane++) {
                const real x = x_row[lane];
                real s;
                $load
                $step
                $store
                s_row[lane] = s;
            }
        }
        for (int64_t lane = 0; lane < n; lane++) { $end }
    }
    return 0;
}

/* The same steps again, keeping what the derivatives need, and then back in time. Where an entry of d_end is null,
   that gradient is zero; where an entry of d_start is null, it is not wanted. */
int backward(int64_t T, int64_t N, int threads, const double *values, const real *x, const real *const *start,
             const int64_t *stride, const real *d_spikes, const real *const *d_end, real *d_x, real *const *d_start,
             double *sums)
{
    const int64_t blocks = (N + BLOCK - 1) / BLOCK;
    int failed = 0;
    (void)blocks, (void)sums;
    $constants
    #pragma omp parallel num_threads(threads)
    {
        real *kept = malloc((size_t)(KEEPING * T * BLOCK + 1) * sizeof(real));
        #pragma omp for schedule(static)
        for (int64_t number = 0; number < blocks; number++) {
            if (!kept) { failed = 1; continue; }
            const int64_t from = number * BLOCK, n = smaller(BLOCK, N - from);
            $memory
            for (int64_t lane = 0; lane < n; lane++) { $begin }
            for (int64_t t = 0; t < T; t++) {
                const real *restrict x_row = x + t * N + from;
                $rows
                fetch(x_row), fetch(d_spikes + t * N + from);
                #pragma omp simd
                for (int64_t lane = 0; lane < n; lane++) {
                    const real x = x_row[lane];
                    real s;
                    $load
                    $keep_before
                    $step
                    $keep_after
                    $store
                    (void)s, (void)x;
                }
            }
            $d_memory
            $sums
            for (int64_t lane = 0; lane < n; lane++) { $d_begin }
            for (int64_t t = T - 1; t >= 0; t--) {
                const real *restrict x_row = x + t * N + from;
                const real *restrict d_s_row = d_spikes + t * N + from;
                real *restrict d_x_row = d_x + t * N + from;
                $rows
                #pragma omp simd$reduction
                for (int64_t lane = 0; lane < n; lane++) {
                    const real x = x_row[lane], d_s = d_s_row[lane];
                    real d_x;
                    $kept
                    $d_load
                    $adjoint
                    $d_store
                    d_x_row[lane] = d_x;
                    (void)x;
                }
            }
            for (int64_t lane = 0; lane < n; lane++) { $d_end }
            $totals
        }
        free(kept);
    }
    return failed;
}
