// Settings: sections at the left, boxed groups at the right; in a narrow window one after the other.
// A change applies at once; there is no Save.
// qmllint disable unqualified
import QtQuick
import QtQuick.Templates as T
import Paluku
import PalukuApp

FocusScope {
    id: page

    required property AppController app
    property bool sidebarAway: false
    property int section: narrow ? -1 : 0
    readonly property bool narrow: width < Theme.mediumFrom - Theme.sidebarMedium
    readonly property var sections: [
        { name: qsTr("General"), icon: "language", body: general },
        { name: qsTr("Appearance"), icon: "appearance", body: looks },
        { name: qsTr("Answers"), icon: "answers", body: answers },
        { name: qsTr("Models"), icon: "model", body: models },
        { name: qsTr("Keyboard shortcuts"), icon: "keyboard", body: shortcuts },
        { name: qsTr("About"), icon: "info", body: about }
    ]
    signal sidebarWanted()
    signal closed()

    function showShortcuts(): void {
        section = sections.findIndex(entry => entry.body === shortcuts);
    }

    onNarrowChanged: if (!narrow && section < 0) section = 0

    PageHeader {
        id: header

        width: page.width
        title: page.narrow && page.section >= 0 ? page.sections[page.section].name : qsTr("Settings")
        sidebarAway: page.sidebarAway
        closable: true
        onSidebarWanted: page.sidebarWanted()
        onClosed: page.closed()

        IconButton {
            visible: page.narrow && page.section >= 0
            iconName: "back"
            text: qsTr("Back")
            onClicked: page.section = -1
        }
    }
    ListView {
        id: list

        anchors.top: header.bottom
        anchors.topMargin: Theme.s16
        anchors.bottom: page.bottom
        x: page.narrow ? Theme.s8 : Math.max(Theme.s16, (page.width - Theme.settingsSections - Theme.settingsGroups - Theme.s24) / 2)
        width: page.narrow ? page.width - 2 * Theme.s8 : Theme.settingsSections
        visible: !page.narrow || page.section < 0
        focus: true
        activeFocusOnTab: true
        boundsBehavior: Flickable.StopAtBounds
        highlightMoveDuration: 0
        model: page.sections
        currentIndex: Math.max(0, page.section)
        Accessible.role: Accessible.List
        Accessible.name: qsTr("Settings")

        delegate: ItemRow {
            id: entry

            required property int index
            required property var modelData

            width: ListView.view ? ListView.view.width : 0
            focus: ListView.isCurrentItem
            focusPolicy: Qt.ClickFocus
            iconName: modelData.icon
            text: modelData.name
            selected: page.section === index
            onClicked: page.section = index
            onActiveFocusChanged: if (activeFocus && !page.narrow) page.section = index
        }
    }
    Flickable {
        id: scroll

        anchors.top: header.bottom
        anchors.bottom: page.bottom
        x: page.narrow ? 0 : list.x + list.width + Theme.s24
        width: page.width - x
        visible: page.section >= 0
        contentHeight: body.height + 2 * Theme.s16
        contentWidth: width
        clip: true
        boundsBehavior: Flickable.StopAtBounds
        T.ScrollBar.vertical: ScrollBar {}

        Loader {
            id: body

            x: page.narrow ? Theme.s12 : 0
            y: Theme.s16
            width: Math.min(Theme.settingsGroups, scroll.width - 2 * Theme.s12)
            sourceComponent: page.section >= 0 ? page.sections[page.section].body : null
            onLoaded: scroll.contentY = 0
        }
    }

    Component {
        id: general

        GeneralSettings { settings: page.app.settings }
    }
    Component {
        id: looks

        LookSettings { settings: page.app.settings }
    }
    Component {
        id: answers

        AnswerSettings { settings: page.app.settings }
    }
    Component {
        id: models

        ModelSettings {
            settings: page.app.settings
            homeText: page.app.chat.homeText
        }
    }
    Component {
        id: shortcuts

        ShortcutList {}
    }
    Component {
        id: about

        AboutPaluku { settings: page.app.settings }
    }
}
