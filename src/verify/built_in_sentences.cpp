#include "verify/reference.hpp"

namespace accelerate::verify {

const std::vector<std::string>& built_in_sentences() {
  // Long sentences are several literals on purpose.
  // NOLINTBEGIN(bugprone-suspicious-missing-comma)
  static const std::vector<std::string> sentences = {
      "The ferry leaves at seven, so we should be at the pier by a quarter to.",
      "Quite good.",
      "Where did Maria Sklodowska study before she moved to Paris?",
      "Invoice 2023-118 over 4,750.00 EUR is due on 30 November; please quote the number in your payment.",
      "for (int i = 0; i < n; ++i) sum += a[i] * b[i];",
      "Der Zug nach Hamburg faehrt heute von Gleis neun ab.",
      "In the first experiment the samples were heated to 340 degrees for two hours, cooled slowly in the oven and "
      "weighed every ten minutes; in the second they were quenched in water, which made them brittle, so that most of "
      "them broke before the third cycle and only five could be measured to the end. The scatter of these five is "
      "larger than the effect that we looked for, and we therefore report an upper bound instead of a value, together "
      "with the raw readings of both series.",
      "Terrible service, cold food, and nobody apologised.",
      "Rain.",
      "Mount Kosciuszko, 2,228 metres high, is the highest mountain of mainland Australia.",
      "La bibliothèque est fermée le lundi, sauf pendant les vacances.",
      "She asked whether the bridge had been closed for repairs or because of the flood.",
      "SELECT name, count(*) FROM visits WHERE day >= '2024-01-01' GROUP BY name ORDER BY 2 DESC;",
      "What is the boiling point of water on top of Everest?",
      "The committee did not reject the proposal; it merely asked for another estimate of its costs.",
      "Darwin and Wallace wrote to each other about beetles, birds and the islands of the Malay Archipelago.",
      "今日は天気がいいですね。",
      "To bake the bread, mix 500 grams of flour with 350 grams of water, let it rest for half an hour, add 10 of "
      "salt and 3 of yeast, fold the dough four times at intervals of thirty minutes, leave it in the cold overnight, "
      "and bake it in a closed pot, the lid taken off after twenty-five minutes so that the crust becomes dark.",
      "Please reset my password, I cannot log in since yesterday.",
      "I would not call it cheap, but it is worth every cent.",
      "El perro duerme debajo de la mesa mientras llueve.",
      "A prime number has exactly two divisors.",
      "Shares of the shipyard fell by 11.4 % after it had lowered its forecast for the third time within a year.",
      "Hello!",
      "The cell's membrane lets water pass but holds back most ions, which is why channels and pumps are needed.",
      "https://example.org/path/to/page?id=42&lang=en was not found on this server.",
      "Два старых друга встретились на вокзале.",
      "Turn left after the church, follow the river for a mile, cross the second bridge, and you will see a yellow "
      "house with a red door; the key is under the flower pot, the heating is behind the stairs, and if the light does "
      "not work, ask the neighbour, who knows where the fuses are and has a torch.",
      "The defendant shall pay the costs of the proceedings.",
      "Why do cats purr?",
      "The violins enter first, softly, then the horns, and only in the last bars does the whole orchestra play.",
      "error: expected ';' before '}' token"};
  // NOLINTEND(bugprone-suspicious-missing-comma)
  return sentences;
}

}  // namespace accelerate::verify
