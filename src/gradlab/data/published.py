"""The published datasets: what each is, where it comes from, and the digests its content is pinned to.

Contents are pinned by SHA-256 wherever it is known: MNIST, Fashion-MNIST, CIFAR-10, CIFAR-100 and both CIFAR archives.
STL-10 and the downloads of MNIST and Fashion-MNIST are pinned by the MD5 that their publishers or torchvision give.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gradlab.data.images import Normalisation


@dataclass(frozen=True, slots=True)
class Content:
    """One file's uncompressed content: its name, length in bytes and pinned digest ("sha256:..." or "md5:...")."""

    name: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Download:
    """One file to fetch: its path under the data root, its size in bytes, its digest and the mirrors, in order."""

    path: str
    size: int
    digest: str
    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One published dataset.

    Args:
        name: what `load` calls it.
        title: its full name.
        layout: which reader it needs: "idx", "cifar" or "stl10".
        classes: class names in the order of the labels.
        shape: channels, height, width.
        images: labelled images that are published for training; `validation` of them are held out.
        validation: images held out for validation.
        test: images published for testing.
        unlabelled: images without labels.
        folders: where the contents may lie under the root; the first is where they are fetched to.
        pickled: where other programs keep the same data as pickles, which are never read.
        contents: the files, in reading order.
        downloads: what is fetched.
        packed: whether the one download is an archive of the contents.
        normalisation: published per-channel mean and standard deviation.
        licence: terms in a few words.
        url: the dataset's own page.
    """

    name: str
    title: str
    layout: str
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    images: int
    validation: int
    test: int
    unlabelled: int = 0
    folders: tuple[str, ...]
    pickled: str = ""
    contents: tuple[Content, ...]
    downloads: tuple[Download, ...]
    packed: bool
    normalisation: Normalisation
    licence: str
    url: str


@dataclass(frozen=True, slots=True)
class _Gzipped:
    """A content published gzipped, on its own: its name, length and SHA-256, and the same of the gzipped file."""

    name: str
    size: int
    sha256: str
    gzipped_size: int
    gzipped_sha256: str


def _contents(files: tuple[_Gzipped, ...]) -> tuple[Content, ...]:
    return tuple(Content(file.name, file.size, f"sha256:{file.sha256}") for file in files)


def _downloads(folder: str, mirrors: tuple[str, ...], files: tuple[_Gzipped, ...]) -> tuple[Download, ...]:
    return tuple(
        Download(
            f"{folder}/{file.name}.gz",
            file.gzipped_size,
            f"sha256:{file.gzipped_sha256}",
            tuple(f"{mirror}{file.name}.gz" for mirror in mirrors),
        )
        for file in files
    )


MNIST_FILES = (
    _Gzipped(
        "train-images-idx3-ubyte",
        47_040_016,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        9_912_422,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    _Gzipped(
        "train-labels-idx1-ubyte",
        60_008,
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        28_881,
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
    _Gzipped(
        "t10k-images-idx3-ubyte",
        7_840_016,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        1_648_877,
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    _Gzipped(
        "t10k-labels-idx1-ubyte",
        10_008,
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        4_542,
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
)
MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)

MNIST = Published(
    name="mnist",
    title="MNIST handwritten digits",
    layout="idx",
    classes=tuple("0123456789"),
    shape=(1, 28, 28),
    images=60_000,
    validation=5_000,
    test=10_000,
    folders=("mnist", "MNIST/raw"),
    packed=False,
    normalisation=((0.1307,), (0.3081,)),
    licence="CC BY-SA 3.0",
    url="http://yann.lecun.com/exdb/mnist/",
    contents=_contents(MNIST_FILES),
    downloads=_downloads("mnist", MNIST_MIRRORS, MNIST_FILES),
)

FASHION_MNIST_FILES = (
    _Gzipped(
        "train-images-idx3-ubyte",
        47_040_016,
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        26_421_880,
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    ),
    _Gzipped(
        "train-labels-idx1-ubyte",
        60_008,
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        29_515,
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    ),
    _Gzipped(
        "t10k-images-idx3-ubyte",
        7_840_016,
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        4_422_102,
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    ),
    _Gzipped(
        "t10k-labels-idx1-ubyte",
        10_008,
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        5_148,
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
)
FASHION_MNIST_MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
)

FASHION_MNIST = Published(
    name="fashion_mnist",
    title="Fashion-MNIST articles of clothing",
    layout="idx",
    classes=("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    shape=(1, 28, 28),
    images=60_000,
    validation=5_000,
    test=10_000,
    folders=("fashion_mnist", "FashionMNIST/raw"),
    packed=False,
    normalisation=((0.2860,), (0.3530,)),
    licence="MIT",
    url="https://github.com/zalandoresearch/fashion-mnist",
    contents=_contents(FASHION_MNIST_FILES),
    downloads=_downloads("fashion_mnist", FASHION_MNIST_MIRRORS, FASHION_MNIST_FILES),
)

CIFAR10 = Published(
    name="cifar10",
    title="CIFAR-10 small colour photographs",
    layout="cifar",
    classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    shape=(3, 32, 32),
    images=50_000,
    validation=5_000,
    test=10_000,
    folders=("cifar-10-batches-bin",),
    pickled="cifar-10-batches-py",
    contents=(
        Content(
            "data_batch_1.bin", 30_730_000, "sha256:cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"
        ),
        Content(
            "data_batch_2.bin", 30_730_000, "sha256:a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"
        ),
        Content(
            "data_batch_3.bin", 30_730_000, "sha256:bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"
        ),
        Content(
            "data_batch_4.bin", 30_730_000, "sha256:014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"
        ),
        Content(
            "data_batch_5.bin", 30_730_000, "sha256:755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"
        ),
        Content(
            "test_batch.bin", 30_730_000, "sha256:8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"
        ),
    ),
    downloads=(
        Download(
            "cifar-10-binary.tar.gz",
            170_052_171,
            "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
        ),
    ),
    packed=True,
    normalisation=((0.491, 0.482, 0.447), (0.247, 0.243, 0.261)),
    licence="no licence given; cite Krizhevsky 2009",
    url="https://www.cs.toronto.edu/~kriz/cifar.html",
)

# One word a class, in label order; a list of 100 lines would bury the facts around it.
CIFAR100_CLASSES = tuple(
    """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can
    castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin
    elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster
    man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck
    pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk
    skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger
    tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
    """.split()  # noqa: SIM905
)

CIFAR100 = Published(
    name="cifar100",
    title="CIFAR-100 small colour photographs",
    layout="cifar",
    classes=CIFAR100_CLASSES,
    shape=(3, 32, 32),
    images=50_000,
    validation=5_000,
    test=10_000,
    folders=("cifar-100-binary",),
    pickled="cifar-100-python",
    contents=(
        Content("train.bin", 153_700_000, "sha256:f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29"),
        Content("test.bin", 30_740_000, "sha256:d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a"),
    ),
    downloads=(
        Download(
            "cifar-100-binary.tar.gz",
            168_513_733,
            "sha256:58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
            ("https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",),
        ),
    ),
    packed=True,
    normalisation=((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)),
    licence="no licence given; cite Krizhevsky 2009",
    url="https://www.cs.toronto.edu/~kriz/cifar.html",
)

STL10 = Published(
    name="stl10",
    title="STL-10 colour photographs, mostly without labels",
    layout="stl10",
    classes=("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"),
    shape=(3, 96, 96),
    images=5_000,
    validation=500,
    test=8_000,
    unlabelled=100_000,
    folders=("stl10_binary",),
    contents=(
        Content("train_X.bin", 138_240_000, "md5:918c2871b30a85fa023e0c44e0bee87f"),
        Content("train_y.bin", 5_000, "md5:5a34089d4802c674881badbb80307741"),
        Content("test_X.bin", 221_184_000, "md5:7f263ba9f9e0b06b93213547f721ac82"),
        Content("test_y.bin", 8_000, "md5:36f9794fa4beb8a2c72628de14fa638e"),
        Content("unlabeled_X.bin", 2_764_800_000, "md5:5242ba1fed5e4be9e1e742405eb56ca4"),
    ),
    downloads=(
        Download(
            "stl10_binary.tar.gz",
            2_640_397_119,
            "sha256:f31fd99273a1acb8609c8db427cebb1de3f71de77758cdc0e22956e1289b9866",
            (
                "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
                "https://cs.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
            ),
        ),
    ),
    packed=True,
    normalisation=((0.4467, 0.4398, 0.4066), (0.2603, 0.2566, 0.2713)),
    licence="no licence given; from ImageNet; cite Coates et al. 2011",
    url="https://cs.stanford.edu/~acoates/stl10/",
)

PUBLISHED: Mapping[str, Published] = MappingProxyType(
    {published.name: published for published in (MNIST, FASHION_MNIST, CIFAR10, CIFAR100, STL10)}
)
