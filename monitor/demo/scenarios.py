"""The scenarios, one for each domain: a day with something wrong that overall accuracy hides.

To add one, write a file with a `SCENARIO` and name it here.
"""

from monitor.demo import ecommerce, finance, healthcare, legal, science, support
from monitor.demo.scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    one.name: one
    for one in (
        ecommerce.SCENARIO,
        finance.SCENARIO,
        healthcare.SCENARIO,
        legal.SCENARIO,
        science.SCENARIO,
        support.SCENARIO,
    )
}
