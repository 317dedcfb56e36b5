// The coefficients of the elementary functions, written into the table after those of constants.ts. Polynomials are
// minimax fits by the Remez exchange in 50 digits, rounded to the element type; the comment at each says of what.
import { entryAddress, put, putBits, putWide, putWideBits } from "../constants";

/** Entries of the table. */
export const enum K {
  // limits and bit patterns
  normalOffset = 48, normalLimit, expRange, exp2Range, exp2Low, exp2High, oneLessSqrtHalf, sqrtHalfBits, magicBias, halfBits, quarter,
  cubeVanishes, sixteenth, largest, circularRange, atan2Offset, atan2Limit, atan2Huge, erfHigh, log10e, minusHalf, minusTwo, tanhNear, normalDensity, cdfCenter, cdfHigh, cdfVanishes, mishHigh, geluTanhRange, geluRange,
  /** 2 sqrt(2 / pi) times 1, 0.044715 and 3 * 0.044715. */
  geluTanh,
  /** log10(2), high and low part. */
  log10Two = K.geluTanh + 3, tanEighth = K.log10Two + 2,
  /** High and low parts. */
  pi = K.tanEighth + 2, halfPi = K.pi + 2, quarterPi = K.halfPi + 2,
  // polynomials: exp(r) = 1 + r + r^2 P(r)
  exp = K.quarterPi + 2,
  /** f32: exp(r) = 1 + r P(r), weighed so that exp of fused steps is off by 1.91 units in the last place at most. */
  expShort = K.exp + 5,
  /** 2^r = 1 + r P(r). */
  exp2 = K.exp + 10,
  /** log((1 + s) / (1 - s)) = 2 s + s^3 P(s^2). */
  log = K.exp2 + 11,
  /** sin(r) = r + r^3 P(r^2). */
  sin = K.log + 7,
  /** cos(r) = 1 - r^2/2 + r^4 P(r^2). */
  cos = K.sin + 6,
  /** asin(x) = x + x^3 P(x^2). */
  asin = K.cos + 6,
  /** atan(x) = x + x^3 P(x^2). */
  atan = K.asin + 12,
  /** erf(x) = x + x P(x^2). */
  erf = K.atan + 11,
  /** erfc(x) = exp(-P(x)). */
  erfc = K.erf + 12,
  /** f64: tanh(x) = x + x^3 P(x^2). */
  tanh = K.erfc + 18,
  /** f32: exp(r) - 1 = r + r^2 P(r), closer than exp near 0. */
  expm1 = K.tanh,
  /** f32: 2^r = 1 + r P(r), relative error below 1.3e-7. */
  exp2Short = K.tanh + 6,
  /** (1 - erf(a / sqrt 2)) / 2 = exp(-a^2 / 2) P((a - k) / (a + k)), k the center. */
  cdf = K.tanh + 11,
  /** f32: log2 of (1 + erf(x / sqrt 2)) / 2 = P(x) for -4.2 <= x <= 0. */
  logCdf = K.cdf + 8,
  // f64 constants in both builds
  twoOverPi = K.cdf + 19, wideMagic,
  /** pi/2 in parts of 33, 32 and 53 bits, or 33 and 53. */
  piHalf,
  powOffset = K.piHalf + 3, powBase,
  /** 2/pi, bit by bit, after 64 zero bits. */
  twoOverPiBits,
  // pow of f64 (fdlibm e_pow.c)
  headMask = K.twoOverPiBits + 11, powMiddle, oneAndHalf, three, powLargest, powRange, powBaseLog, powLog = K.powBaseLog + 2,
  powScale = K.powLog + 6, powLn2 = K.powScale + 3,
  // pow of f32, in f64; the entries are those of f64
  wideOne = K.headMask, wideTwo, wideLog2e, wideMagicBias, wideMantissa, wideRange, wideLog, wideExp2 = K.wideLog + 4,
  end = K.powLn2 + 3,
}

/** Word i of the bits of 2/pi. */
// @ts-ignore: decorator
@inline function putWord(i: i32, bits: u64): void {
  store<u64>(entryAddress(K.twoOverPiBits) + (<usize>i << 3), bits);
}

function writeBounds(): void {
  putBits(K.normalOffset, 0x7f800000, 0x7ff0000000000000); // -(smallest normal) - 2^31 or 2^63
  putBits(K.normalLimit, 0xfeffffff, 0xffdfffffffffffff);
  putBits(K.sqrtHalfBits, 0x3f3504f3, 0x3fe6a09e667f3bcd);
  putBits(K.oneLessSqrtHalf, 0x3f800000 - 0x3f3504f3, 0x3ff0000000000000 - 0x3fe6a09e667f3bcd);
  putBits(K.halfBits, 0x3f000000, 0x3fe0000000000000);
  putBits(K.largest, 0x7f7fffff, 0x7fefffffffffffff);
  putBits(K.atan2Offset, 0x7fffffff, 0x7fffffffffffffff); // -1 - 2^31 or 2^63: zero becomes the largest
  putBits(K.atan2Limit, 0xfdffffff, 0xffbfffffffffffff); // 2^125, 2^1021
  put(K.quarter, 0.25);
  put(K.sixteenth, 0.0625);
  put(K.log10e, 0.43429448190325183);
  put(K.minusHalf, -0.5);
  put(K.minusTwo, -2);
  put(K.tanhNear, 0.55); // tanh is above 1/2 from 0.5494
  put(K.normalDensity, 0.3989422804014327); // 1 / sqrt(2 pi)
  put(K.mishHigh, 40);
  put(K.geluTanh, 1.5957691216057308);
  put(K.geluTanh + 1, 0.071354816272600249);
  put(K.geluTanh + 2, 0.21406444881780075);
  put(K.tanEighth, 0.41421356237309505);
  put(K.tanEighth + 1, 2.4142135623730951);
  put(K.circularRange, 1000000); // n below 2^20
  if (sizeof<real>() == 4) {
    put(K.expRange, 87.33); // 2^-126 < exp < 2^127
    put(K.exp2Range, 126);
    put(K.exp2Low, -151);
    put(K.exp2High, 129);
    put(K.magicBias, 12582912 + 127);
    put(K.cubeVanishes, 0.00024414062); // 2^-12
    put(K.atan2Huge, 4.253529586511731e37); // 2^125
    put(K.erfHigh, 4); // 1 - erf(4) is below half a unit
    put(K.cdfCenter, 3);
    put(K.cdfHigh, 5.6);
    put(K.cdfVanishes, 13.2); // exp(-13.2^2 / 2) is just within the usual range
    put(K.geluTanhRange, 9.9);
    put(K.geluRange, 4.2);
    put(K.log10Two, 0.301025390625); // 12 bits
    put(K.log10Two + 1, 4.6050389811952137e-6);
    put(K.pi, 3.1415927410125732);
    put(K.pi + 1, -8.742278000372485e-8);
    put(K.halfPi, 1.5707963705062866);
    put(K.halfPi + 1, -4.3711390001862426e-8);
    put(K.quarterPi, 0.7853981852531433);
    put(K.quarterPi + 1, -2.1855695000931213e-8);
  } else {
    put(K.expRange, 708);
    put(K.exp2Range, 1022);
    put(K.exp2Low, -1076);
    put(K.exp2High, 1025);
    put(K.magicBias, 6755399441055744.0 + 1023);
    put(K.cubeVanishes, 7.4505805969238281e-9); // 2^-27
    put(K.atan2Huge, 2.2471164185778949e307); // 2^1021
    put(K.erfHigh, 6);
    put(K.cdfCenter, 4);
    put(K.cdfHigh, 8.5);
    put(K.cdfVanishes, 37.6);
    put(K.geluTanhRange, 21);
    put(K.log10Two, 0.30102999566395283); // 42 bits
    put(K.log10Two + 1, 2.8363394551044964e-14);
    put(K.pi, 3.1415926535897931);
    put(K.pi + 1, 1.2246467991473532e-16);
    put(K.halfPi, 1.5707963267948966);
    put(K.halfPi + 1, 6.123233995736766e-17);
    put(K.quarterPi, 0.78539816339744828);
    put(K.quarterPi + 1, 3.061616997868383e-17);
  }
}

function writePolynomials(): void {
  if (sizeof<real>() == 4) {
    put(K.exp, 0.49999994); put(K.exp + 1, 0.16666518); put(K.exp + 2, 0.041668423); put(K.exp + 3, 0.008369063); put(K.exp + 4, 0.0013813872);
    put(K.expShort, 0.99999934); put(K.expShort + 1, 0.4999914); put(K.expShort + 2, 0.16668396); put(K.expShort + 3, 0.04189898); put(K.expShort + 4, 0.008252854);
    put(K.exp2, 0.6931472); put(K.exp2 + 1, 0.2402265); put(K.exp2 + 2, 0.05550327); put(K.exp2 + 3, 0.009618003); put(K.exp2 + 4, 0.0013400537);
    put(K.exp2 + 5, 0.00015476598);
    put(K.log, 0.66666776); put(K.log + 1, 0.39977285); put(K.log + 2, 0.29879197);
    put(K.sin, -0.16666655); put(K.sin + 1, 0.008332169); put(K.sin + 2, -0.00019516012);
    put(K.cos, 0.041666646); put(K.cos + 1, -0.0013887355); put(K.cos + 2, 2.4437008e-05);
    put(K.asin, 0.16666754); put(K.asin + 1, 0.07495233); put(K.asin + 2, 0.04547835); put(K.asin + 3, 0.024140948); put(K.asin + 4, 0.042230606);
    put(K.atan, -0.33333316); put(K.atan + 1, 0.19998483); put(K.atan + 2, -0.14243738); put(K.atan + 3, 0.1059514); put(K.atan + 4, -0.060811557);
    put(K.erf, 0.12837917); put(K.erf + 1, -0.37612626); put(K.erf + 2, 0.112836); put(K.erf + 3, -0.026854444); put(K.erf + 4, 0.0051895357);
    put(K.erf + 5, -0.0008020842); put(K.erf + 6, 7.8891215e-05);
    put(K.erfc, 0.0003537191); put(K.erfc + 1, 1.12704); put(K.erfc + 2, 0.6382257); put(K.erfc + 3, 0.10303737); put(K.erfc + 4, -0.021805318);
    put(K.erfc + 5, 0.002939607); put(K.erfc + 6, -0.00018557397);
    put(K.cdf, 0.12151395); put(K.cdf + 1, -0.20640253); put(K.cdf + 2, 0.12322509); put(K.cdf + 3, -0.046216995); put(K.cdf + 4, 0.0061288862);
    put(K.cdf + 5, 0.0029363027); put(K.cdf + 6, -0.00093574205); put(K.cdf + 7, -0.00038463058);
    put(K.expm1, 0.5); put(K.expm1 + 1, 0.16666666); put(K.expm1 + 2, 0.04166636); put(K.expm1 + 3, 0.00833339); put(K.expm1 + 4, 0.0013940824);
    put(K.expm1 + 5, 0.00019845879);
    put(K.exp2Short, 0.6931468); put(K.exp2Short + 1, 0.24022235); put(K.exp2Short + 2, 0.055508927); put(K.exp2Short + 3, 0.009671871);
    put(K.exp2Short + 4, 0.0013225673);
    put(K.logCdf, -0.9999999); put(K.logCdf + 1, 1.1511096); put(K.logCdf + 2, -0.4591777); put(K.logCdf + 3, 0.052572448);
    put(K.logCdf + 4, 0.0071455734); put(K.logCdf + 5, 0.00017053784); put(K.logCdf + 6, -0.00019107384); put(K.logCdf + 7, -4.7934915e-05);
    put(K.logCdf + 8, -5.3794133e-06); put(K.logCdf + 9, -2.4655583e-07);
  } else {
    put(K.exp, 0.5000000000000011); put(K.exp + 1, 0.16666666666666674); put(K.exp + 2, 0.041666666666516215); put(K.exp + 3, 0.00833333333332176);
    put(K.exp + 4, 0.0013888888949576683); put(K.exp + 5, 0.00019841269887949363); put(K.exp + 6, 2.4801485349693333e-05);
    put(K.exp + 7, 2.75572408089235e-06); put(K.exp + 8, 2.763339702771865e-07); put(K.exp + 9, 2.511062261669662e-08);
    put(K.exp2, 0.6931471805599453); put(K.exp2 + 1, 0.24022650695910133); put(K.exp2 + 2, 0.05550410866482174);
    put(K.exp2 + 3, 0.009618129107592766); put(K.exp2 + 4, 0.0013333558146378256); put(K.exp2 + 5, 0.00015403530458860015);
    put(K.exp2 + 6, 1.5252733868301171e-05); put(K.exp2 + 7, 1.3215434399351651e-06); put(K.exp2 + 8, 1.0178046145790357e-07);
    put(K.exp2 + 9, 7.073936211173457e-09); put(K.exp2 + 10, 4.457434289965875e-10);
    put(K.log, 0.6666666666666737); put(K.log + 1, 0.39999999999394625); put(K.log + 2, 0.28571428747269856); put(K.log + 3, 0.22222198032152865);
    put(K.log + 4, 0.18183594390588462); put(K.log + 5, 0.15313234375054977); put(K.log + 6, 0.14804562548012065);
    put(K.sin, -0.16666666666666632); put(K.sin + 1, 0.008333333333322205); put(K.sin + 2, -0.00019841269829633132);
    put(K.sin + 3, 2.755731362881345e-06); put(K.sin + 4, -2.5050747871271787e-08); put(K.sin + 5, 1.5896182187307202e-10);
    put(K.cos, 0.041666666666666595); put(K.cos + 1, -0.001388888888887384); put(K.cos + 2, 2.480158728929738e-05);
    put(K.cos + 3, -2.7557314296678285e-07); put(K.cos + 4, 2.0875715420703552e-09); put(K.cos + 5, -1.1359227251745241e-11);
    put(K.asin, 0.16666666666665375); put(K.asin + 1, 0.07500000000344847); put(K.asin + 2, 0.04464285682194029);
    put(K.asin + 3, 0.030381959396868958); put(K.asin + 4, 0.022371751906012493); put(K.asin + 5, 0.01735979610385898);
    put(K.asin + 6, 0.013884345986748422); put(K.asin + 7, 0.012174971515643552); put(K.asin + 8, 0.006503393428125955);
    put(K.asin + 9, 0.019594690153621655); put(K.asin + 10, -0.01632724279707668); put(K.asin + 11, 0.03198206758992688);
    put(K.atan, -0.333333333333332); put(K.atan + 1, 0.1999999999995367); put(K.atan + 2, -0.14285714280204476);
    put(K.atan + 3, 0.11111110783833879); put(K.atan + 4, -0.09090897767568934); put(K.atan + 5, 0.0769206036953849);
    put(K.atan + 6, -0.06663105534391973); put(K.atan + 7, 0.05847897902226372); put(K.atan + 8, -0.05039332860385904);
    put(K.atan + 9, 0.03806500005819532); put(K.atan + 10, -0.01790738645847217);
    put(K.erf, 0.12837916709551256); put(K.erf + 1, -0.3761263890318355); put(K.erf + 2, 0.11283791670945252); put(K.erf + 3, -0.026866170643276118);
    put(K.erf + 4, 0.005223977607422808); put(K.erf + 5, -0.0008548325989669887); put(K.erf + 6, 0.00012055295319791518);
    put(K.erf + 7, -1.492474465128789e-05); put(K.erf + 8, 1.6447517543222236e-06); put(K.erf + 9, -1.6209174966838966e-07);
    put(K.erf + 10, 1.3722972486285585e-08); put(K.erf + 11, -7.801182300812677e-10);
    put(K.erfc, 5.132720587905969e-07); put(K.erfc + 1, 1.1283739914085003); put(K.erfc + 2, 0.6366440564899295);
    put(K.erfc + 3, 0.10270228585658925); put(K.erfc + 4, -0.01898803431406905); put(K.erfc + 5, -0.00041354765691971356);
    put(K.erfc + 6, 0.0019189577116649802); put(K.erfc + 7, -0.0007730532934395501); put(K.erfc + 8, 0.00013656095754043437);
    put(K.erfc + 9, 1.952027414914121e-05); put(K.erfc + 10, -2.2531802430486147e-05); put(K.erfc + 11, 8.578429990570505e-06);
    put(K.erfc + 12, -2.1147102680044535e-06); put(K.erfc + 13, 3.6954808816618016e-07); put(K.erfc + 14, -4.593075435448436e-08);
    put(K.erfc + 15, 3.8897735411329185e-09); put(K.erfc + 16, -2.0201993228595298e-10); put(K.erfc + 17, 4.864704294556627e-12);
    put(K.cdf, 0.09441064130196894); put(K.cdf + 1, -0.17039772154845537); put(K.cdf + 2, 0.12437925533926444); put(K.cdf + 3, -0.07170740733774676);
    put(K.cdf + 4, 0.03086480410622481); put(K.cdf + 5, -0.008492095481616124); put(K.cdf + 6, 0.0005075620786758761);
    put(K.cdf + 7, 0.0006388138430337164); put(K.cdf + 8, -0.00018718434115523044); put(K.cdf + 9, -4.5554862452679e-05);
    put(K.cdf + 10, 2.864907364214178e-05); put(K.cdf + 11, 4.632205509428181e-06); put(K.cdf + 12, -4.306920565521004e-06);
    put(K.cdf + 13, -8.365289520329316e-07); put(K.cdf + 14, 6.63899336155963e-07); put(K.cdf + 15, 2.2742178107016065e-07);
    put(K.cdf + 16, -7.212954399541727e-08); put(K.cdf + 17, -5.482925740406865e-08); put(K.cdf + 18, -9.526003801310242e-09);
    put(K.tanh, -0.333333333333333); put(K.tanh + 1, 0.13333333333326317); put(K.tanh + 2, -0.05396825396356948);
    put(K.tanh + 3, 0.02186948837998392); put(K.tanh + 4, -0.008863232499015135); put(K.tanh + 5, 0.003592090936032942);
    put(K.tanh + 6, -0.001455535430527882); put(K.tanh + 7, 0.0005884125222750669); put(K.tanh + 8, -0.0002332966689455121);
    put(K.tanh + 9, 8.318982949785133e-05); put(K.tanh + 10, -1.9413573803969673e-05);
  }
}

function writeCircular(): void {
  putWide(K.twoOverPi, 0.63661977236758134);
  putWide(K.wideMagic, 6755399441055744);
  putWide(K.piHalf, 1.5707963267341256);
  if (sizeof<real>() == 4) putWide(K.piHalf + 1, 6.077100506506192e-11);
  else {
    putWide(K.piHalf + 1, 6.077100506303966e-11);
    putWide(K.piHalf + 2, 2.0222662487959506e-21);
  }
  putWord(0, 0);
    putWord(1, 0xa2f9836e4e441529); putWord(2, 0xfc2757d1f534ddc0); putWord(3, 0xdb6295993c439041);
    putWord(4, 0xfe5163abdebbc561); putWord(5, 0xb7246e3a424dd2e0); putWord(6, 0x06492eea09d1921c);
    putWord(7, 0xfe1deb1cb129a73e); putWord(8, 0xe88235f52ebb4484); putWord(9, 0xe99c7026b45f7e41);
    putWord(10, 0x3991d639835339f4); putWord(11, 0x9c845f8bbdf9283b); putWord(12, 0x1ff897ffde05980f);
    putWord(13, 0xef2f118b5a0a6d1f); putWord(14, 0x6d367ecf27cb09b7); putWord(15, 0x4f463f669e5fea2d);
    putWord(16, 0x7527bac7ebe5f17b); putWord(17, 0x3d0739f78a5292ea); putWord(18, 0x6bfb5fb11f8d5d08);
    putWord(19, 0x56033046fc7b6bab); putWord(20, 0xf0cfbc209af4361d);
}

function writePower(): void {
  if (sizeof<real>() == 4) {
    putWideBits(K.powBase, 0x3fe6a09e667f3bcd); // sqrt(1/2)
    putWideBits(K.powOffset, 0x3ff0000000000000 - 0x3fe6a09e667f3bcd);
    putWideBits(K.wideMantissa, 0x000fffffffffffff);
    putWide(K.wideOne, 1);
    putWide(K.wideTwo, 2);
    putWide(K.wideLog2e, 1.4426950408889634);
    putWide(K.wideMagicBias, 6755399441055744.0 + 1023);
    putWide(K.wideRange, 400);
    putWide(K.wideLog, 0.6666666562229128); putWide(K.wideLog + 1, 0.40000340902813913); putWide(K.wideLog + 2, 0.28536919350577217);
    putWide(K.wideLog + 3, 0.23589991061209784);
    putWide(K.wideExp2, 0.6931472065589162); putWide(K.wideExp2 + 1, 0.24022651353977598); putWide(K.wideExp2 + 2, 0.05550327122857793);
    putWide(K.wideExp2 + 3, 0.009618002862206994); putWide(K.wideExp2 + 4, 0.0013400537586254475); putWide(K.wideExp2 + 5, 0.00015476597398058172);
  } else {
    putWideBits(K.headMask, 0xffffffff00000000);
    putWideBits(K.powBase, 0x3febb67ae8584caa); // sqrt(3)/2
    putWideBits(K.powOffset, 0x3ff0000000000000 - 0x3febb67ae8584caa);
    put(K.powMiddle, 1.2247448713915890); // sqrt(3/2)
    put(K.oneAndHalf, 1.5);
    put(K.three, 3);
    put(K.powLargest, 36893488147419103232.0); // 2^65
    put(K.powRange, 1100);
    put(K.powBaseLog, 5.84962487220764160156e-01); // log2(3/2)
    put(K.powBaseLog + 1, 1.35003920212974897128e-08);
    put(K.powLog, 5.99999999999994648725e-01); put(K.powLog + 1, 4.28571428578550184252e-01); put(K.powLog + 2, 3.33333329818377432918e-01);
    put(K.powLog + 3, 2.72728123808534006489e-01); put(K.powLog + 4, 2.30660745775561754067e-01); put(K.powLog + 5, 2.06975017800338417784e-01);
    put(K.powScale, 9.61796693925975554329e-01); // 2 / (3 ln 2), and in two parts
    put(K.powScale + 1, 9.61796700954437255859e-01);
    put(K.powScale + 2, -7.02846165095275826516e-09);
    put(K.powLn2, 6.93147180559945286227e-01); // ln 2, and in two parts
    put(K.powLn2 + 1, 6.93147182464599609375e-01);
    put(K.powLn2 + 2, -1.90465429995776804525e-09);
  }
}

/** Writes the entries of K. */
export function writeCoefficients(): void {
  if (K.end > 256) ERROR("the table of f32 ends where that of f64 begins");
  writeBounds();
  writePolynomials();
  writeCircular();
  writePower();
}
