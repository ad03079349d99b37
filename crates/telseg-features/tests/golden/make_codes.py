"""Makes codes.csv with scikit-learn. Run: python make_codes.py > codes.csv

300 rows to learn from and 60 to encode, three columns of codes (blank is missing), then for each row of both
- onehot: OneHotEncoder(handle_unknown="ignore"),
- least: OneHotEncoder(min_frequency=20, handle_unknown="infrequent_if_exist"),
- most: OneHotEncoder(max_categories=4, handle_unknown="infrequent_if_exist") (three levels and one column for the rest),
  each as a string of 0 and 1, columns apart by a space. Missing is a category, which scikit-learn puts last of a column's
  categories with a column of their own,
- ordinal_0.. : OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1) on the codes with missing as -9,
  which is then the smallest level (blank where unknown).
The frequencies around a column's third place and around 20 are all different, so that no rule about ties matters.
"""
import sys

import numpy as np
import sklearn
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

rng = np.random.default_rng(11)
fit = [np.repeat([3, 7, 20, 21, 40, 41, np.nan], [110, 80, 45, 19, 16, 6, 24]),
       np.repeat([-5, 0, 100000, 7, np.nan], [140, 90, 47, 20, 3]),
       np.repeat([1, 2], [211, 89])]
new = [rng.choice([3, 7, 20, 21, 40, 41, 22, -1000000, np.nan], 60),
       rng.choice([-5, 0, 100000, 7, 1, np.nan], 60),
       rng.choice([1, 2, 9], 60)]
fit = np.stack([rng.permutation(c) for c in fit], axis=1)
both = np.concatenate([fit, np.stack(new, axis=1)])
encoders = [OneHotEncoder(handle_unknown="ignore", sparse_output=False),
            OneHotEncoder(min_frequency=20, handle_unknown="infrequent_if_exist", sparse_output=False),
            OneHotEncoder(max_categories=4, handle_unknown="infrequent_if_exist", sparse_output=False)]
texts = []
for encoder in encoders:
    encoder.fit(fit)
    parts = []
    for j in range(3):
        one = encoder.__class__(**encoder.get_params()).fit(fit[:, [j]])
        parts.append(["".join(str(int(v)) for v in row) for row in one.transform(both[:, [j]])])
    whole = ["".join(str(int(v)) for v in row) for row in encoder.transform(both)]
    texts.append([" ".join(p) for p in zip(*parts)])
    assert [t.replace(" ", "") for t in texts[-1]] == whole
filled = np.where(np.isnan(both), -9, both)
ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(filled[:300]).transform(filled)
print(f"# scikit-learn {sklearn.__version__}, numpy {np.__version__}, tests/golden/make_codes.py", file=sys.stdout)
print("a,b,c,onehot,least,most,ordinal_0,ordinal_1,ordinal_2")
for i, row in enumerate(both):
    cells = ["" if np.isnan(v) else str(int(v)) for v in row] + [t[i] for t in texts] + ["" if v < 0 else str(int(v)) for v in ordinal[i]]
    print(",".join(cells))
